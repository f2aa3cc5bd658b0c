// Keys as WebDriver has them, with and without BiDi.

const KEYS: Record<string, string> = {
  Backspace: "\uE003",
  Enter: "\uE007",
  Shift: "\uE008",
  Control: "\uE009",
  ArrowLeft: "\uE012",
  ArrowUp: "\uE013",
  ArrowRight: "\uE014",
  ArrowDown: "\uE015",
  Delete: "\uE017",
};

const down = (value: string) => ({ type: "keyDown", value });
const up = (value: string) => ({ type: "keyUp", value });

/** One after the other, as they stand in a text. */
export function textKeys(text: string): object[] {
  return [...text].flatMap((value) => [down(value), up(value)]);
}

/** `Control+End`: one key, with others held. */
export function combinedKeys(combination: string): object[] {
  const values = combination.split("+").map((name) => KEYS[name] ?? name);
  return [...values.map(down), ...values.reverse().map(up)];
}
