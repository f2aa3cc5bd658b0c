// A plugin that changes what is shown behind Slate's back: the writer sees the document again, and goes on writing.
import type { Page } from "@playwright/test";
import { agreed, expect, test } from "./fixtures.ts";

/** Puts another text into the place of a block, without an operation, as no plugin should; until it was to be seen. */
const garble = (page: Page, index: number, text: string) =>
  page.evaluate(
    ([index, text]) => {
      interface Fiber {
        return: Fiber | null;
        memoizedProps: { editor?: { children: { children: unknown[] }[]; onChange(): void } } | null;
      }
      const script = document.querySelector("[data-slate-editor]") as unknown as Record<string, Fiber>;
      let fiber: Fiber | null = script[Object.keys(script).find((key) => key.startsWith("__reactFiber"))!]!;
      while (fiber !== null && fiber.memoizedProps?.editor === undefined) fiber = fiber.return;
      const { editor } = fiber!.memoizedProps!;
      const seen = new Promise<void>((resolve) => {
        const isThere = () => document.querySelectorAll(".paper .block")[index]?.textContent === text;
        const watching = new MutationObserver(() => {
          if (!isThere()) return;
          watching.disconnect();
          resolve();
        });
        watching.observe(document.body, { subtree: true, childList: true, characterData: true });
      });
      editor!.children[index] = { ...editor!.children[index], children: [{ text }] };
      editor!.onChange();
      return seen;
    },
    [index, text] as const,
  );

test("a line that another plugin has garbled is as it was within seconds of the next letter", async ({ stage }) => {
  const ada = await stage.join("Ada");
  const ben = await stage.join("Ben");
  await ada.caret(0);
  await ada.type("INT. KITCHEN\nA kettle screams.\nNobody moves.");
  await ada.saved();
  await agreed(ada, ben);
  await ada.caret(0);
  await garble(ada.page, 2, "Somebody moves.");
  await ada.type(" - DAY");
  await expect(ada.block(2)).toHaveText("Nobody moves.");
  // The caret is where it was, and what was garbled has gone to nobody.
  await ada.type(" ONE");
  await ada.saved();
  expect(await agreed(ada, ben)).toEqual(["INT. KITCHEN - DAY ONE", "A kettle screams.", "Nobody moves."]);
});
