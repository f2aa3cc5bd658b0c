// Two people do everything an editor offers, at random and at the same time, with the wire cut now and then. Afterwards
// both have the same script, and so has whoever opens it next. SEED=… and STEPS=… choose other runs. (What two people move
// at the same moment may be there twice, as in every Yjs document: it is the same for everyone, and nothing is lost.)
import { random } from "../../examples/screenplay/src/script/generator.ts";
import { agreed, expect, test, type Wire, type Writer } from "./fixtures.ts";

const STEPS = Number(process.env.STEPS ?? 60);

const WORDS = ["rain", "Mara ", "int. ", "“well”", "🙈", "door", " the", "cut to:", "No. "];
const KEYS = [
  "Enter",
  "Enter",
  "Backspace",
  "Backspace",
  "Delete",
  "Tab",
  "Shift+Tab",
  "ArrowUp",
  "ArrowDown",
  "ArrowLeft",
  "Shift+ArrowDown",
  "Shift+ArrowRight",
  "Home",
  "End",
  "Control+b",
  "Control+i",
  "Control+z",
  "Control+z",
  "Control+y",
  "Control+Alt+d",
  "Control+Alt+3",
  "Control+Alt+5",
];

async function write(writer: Writer, next: () => number, wire: Wire, moves: boolean): Promise<void> {
  const pick = <T>(list: readonly T[]) => list[Math.floor(next() * list.length)] as T;
  for (let step = 0; step < STEPS; step += 1) {
    const dice = next();
    if (dice < 0.45) await writer.type(pick(WORDS), 0);
    else if (dice < 0.85) await writer.press(pick(KEYS));
    else if (dice < 0.93) {
      const count = await writer.page.locator(".paper .block").count();
      if (count > 0)
        await writer
          .block(Math.floor(next() * count))
          .click({ timeout: 2000 })
          .catch(() => {});
    } else if (dice < 0.96 && moves) {
      const count = await writer.page.locator(".outline li > button").count();
      const scene = writer.page.locator(".outline li > button").nth(Math.floor(next() * count));
      if (count > 1) {
        await scene.press(pick(["Alt+ArrowDown", "Alt+ArrowUp"]), { timeout: 2000 }).catch(() => {});
        await writer.script.focus();
      }
    } else if (dice < 0.98) wire.cut();
    else wire.mend();
    if (next() < 0.3) await writer.page.waitForTimeout(Math.floor(next() * 120));
  }
  wire.mend();
}

/** Types, ids, nesting, marks and text, without what each view adds of its own. */
function structure(writer: Writer): Promise<string[]> {
  return writer.page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>(".paper .block, .paper .dual, .paper .column")].map((element) => {
      const inside = element.closest(".column") ? "in column " : "";
      const leaves = [...element.querySelectorAll("[data-slate-leaf]")].map((leaf) => {
        const marks = ["strong", "em", "u"].filter((tag) => leaf.querySelector(tag)).join("+");
        return `${marks}<${(leaf.textContent ?? "").replaceAll("\ufeff", "")}>`;
      });
      return `${inside}${element.className} ${element.dataset.id} ${element.matches(".block") ? leaves.join("") : ""}`;
    }),
  );
}

const seed = Number(process.env.SEED ?? 1);
test(`random editing in two browsers, seed ${seed}`, async ({ stage }) => {
  test.setTimeout(180_000);
  const wires = [await stage.wire(), await stage.wire()] as const;
  const ada = await stage.join("Ada", { scene: "short", wire: wires[0] });
  const ben = await stage.join("Ben", { scene: "short", wire: wires[1] });
  await ada.saved();
  await agreed(ada, ben);
  await ada.caret(3);
  await ben.caret(5);
  await Promise.all([write(ada, random(seed), wires[0], true), write(ben, random(seed + 1000), wires[1], false)]);
  await ada.saved();
  await ben.saved();
  await agreed(ada, ben);
  const html = await structure(ada);
  expect(await structure(ben)).toEqual(html);
  const cleo = await stage.join("Cleo", { scene: "short" });
  await agreed(cleo, ada);
  expect(await structure(cleo)).toEqual(html);
});
