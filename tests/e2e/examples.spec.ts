// Slate's own examples, and Plate: two people do random things in each, at once. In the end both show the document, nothing
// had to be mended, and no console has an error. `EXAMPLE_ACTS` and `EXAMPLE_SEED` say how many acts each does, and which.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import type { Collab } from "slate-yrs";
import { random } from "../../examples/screenplay/src/script/generator.ts";
import { serve } from "../../scripts/matrix/serve.mjs";
import { expect, test } from "./fixtures.ts";
import { SyncServer } from "./server.ts";

const ACTS = Number(process.env.EXAMPLE_ACTS ?? 30);
const SEED = Number(process.env.EXAMPLE_SEED ?? 1);
const root = fileURLToPath(new URL("../..", import.meta.url));

/** Numbers below 1, the same for one seed; others for the next one from the start on. */
const chance = (seed: number) => random(seed * 0x9e3779b9);

const KEYS = [
  ...[
    "Enter",
    "Enter",
    "Backspace",
    "Backspace",
    "Delete",
    "ArrowLeft",
    "ArrowRight",
    "ArrowUp",
    "ArrowDown",
    "Home",
    "End",
  ],
  ...["Shift+ArrowRight", "Shift+ArrowLeft", "Shift+ArrowDown", "Control+Backspace", "Control+Delete"],
  ...["Control+b", "Control+i", "Control+z", "Control+z", "Control+y"],
];
const WORDS = ["a", "word", "two words", " ", "ž", "end."];

/** Somebody in an example. */
class Somebody {
  readonly errors: string[] = [];
  readonly done: string[] = [];

  constructor(
    readonly page: Page,
    private readonly random: () => number,
  ) {
    page.on("pageerror", (error) => this.errors.push(error.stack ?? error.message));
    page.on("console", (message) => {
      if (message.type() === "error") this.errors.push(message.text());
    });
  }

  private one<T>(list: readonly T[]): T {
    return list[Math.floor(this.random() * list.length)]!;
  }

  /** Does something, as people do: types, presses keys, clicks into a line, presses a button, ticks off. */
  async act(): Promise<void> {
    const way = this.random();
    if (way < 0.4) return this.key("type", this.one(WORDS));
    if (way < 0.7) return this.key("press", this.one(KEYS));
    const what = way < 0.82 ? ".line" : way < 0.95 ? "button" : "input";
    const at = this.random();
    this.done.push(`${what} ${at.toFixed(3)}`);
    // In the page, in one go: what it is about may be gone with the peer's next change.
    await this.page.evaluate(
      ([what, at]) => {
        const all = {
          ".line": "[role=textbox] [data-slate-string], [role=textbox] [data-slate-zero-width]",
          button: "[role=toolbar] button",
          input: "[role=textbox] input",
        }[what as string];
        const found = [...document.querySelectorAll<HTMLElement>(all!)];
        const element = found[Math.floor((at as number) * found.length)];
        if (element === undefined) return;
        if (what !== ".line") return element.click();
        document.querySelector<HTMLElement>("[role=textbox]")!.focus();
        const text = element.firstChild!;
        const length = element.matches("[data-slate-string]") ? (text.textContent?.length ?? 0) : 0;
        getSelection()!.collapse(text, Math.floor(((at as number) * 1_000) % (length + 1)));
      },
      [what, at] as const,
    );
  }

  private async key(how: "type" | "press", what: string): Promise<void> {
    this.done.push(`${how} ${what}`);
    if (how === "type") await this.page.keyboard.type(what);
    else await this.page.keyboard.press(what);
  }

  /** What the document has, what the editor has, what the page shows, and what was mended. */
  seen(): Promise<{ document: unknown; editor: unknown; shown: string; divergences: number; saved: boolean }> {
    return this.page.evaluate(() => {
      const { collab, editor } = window as unknown as {
        collab: Collab;
        editor: { children: unknown; divergences: number };
      };
      const { divergences, saved, pending } = collab.status;
      const texts = [...document.querySelectorAll("[role=textbox] [data-slate-string]")];
      return {
        document: collab.value(),
        editor: JSON.parse(JSON.stringify(editor.children)),
        shown: texts.map(({ textContent }) => textContent).join(""),
        divergences: divergences + editor.divergences,
        saved: saved === "server" && pending === 0,
      };
    });
  }
}

/** All letters of a value. */
function letters(value: unknown): string {
  const { text, children } = value as { text?: string; children?: unknown[] };
  if (Array.isArray(value)) return value.map(letters).join("");
  return text ?? (children ?? []).map(letters).join("");
}

/** Empty leaves, and whether neighbours have equal marks, are each editor's own. */
function canonical(value: unknown): unknown {
  const sorted = (node: object) => Object.fromEntries(Object.entries(node).sort(([a], [b]) => (a < b ? -1 : 1)));
  const whole = (nodes: { text?: string; children?: never[] }[]): unknown[] => {
    const out: { text?: string }[] = [];
    for (const node of nodes) {
      if (node.children) out.push(sorted({ ...node, children: whole(node.children) }));
      else if (node.text !== "") {
        const last = out.at(-1);
        const marks = ({ text: _, ...rest }: { text?: string }) => JSON.stringify(sorted(rest));
        if (last?.text !== undefined && marks(last) === marks(node)) last.text += node.text;
        else out.push(sorted({ ...node }));
      }
    }
    return out;
  };
  return whole(value as never);
}

const EXAMPLES: [string, string][] = [
  ["slate", "richtext"],
  ["slate", "mentions"],
  ["slate", "tables"],
  ["slate", "check-lists"],
  ["plate", "plate"],
];

for (const [folder, example] of EXAMPLES) {
  test(`${example}: two people, ${ACTS} random acts each`, async ({ browser }) => {
    test.setTimeout(90_000 + ACTS * 2_000);
    const built = `${root}examples/${folder}/dist`;
    if (!existsSync(`${built}/index.html`)) throw new Error(`${built} is missing: build it first (npm test does)`);
    const server = await SyncServer.start([], true);
    const site = await serve(built);
    const random = chance(SEED);
    const people: Somebody[] = [];
    for (const name of ["Ada", "Ben"]) {
      const page = await (await browser.newContext()).newPage();
      people.push(new Somebody(page, random));
      const query = new URLSearchParams({ example, id: `${example}-${SEED}`, name, server: server.scenes });
      await page.goto(`${site.address}?${query}`);
      await expect(page.locator(".slate-yrs-status")).toHaveText(/^Saved\b/);
      // What is mended is said by an error, and so is all else that goes wrong.
      await page.evaluate(() => {
        const { collab } = window as unknown as { collab: Collab };
        collab.on("error", ({ code, message }) => console.error(`${code}: ${message}`));
      });
      await page.getByRole("textbox").click();
    }
    const [ada, ben] = people as [Somebody, Somebody];
    const told = () => `seed ${SEED}\n${people.map(({ done }) => done.join(" | ")).join("\n")}`;
    // Neither waits for the other.
    for (let count = 0; count < ACTS; count += 1) await Promise.all([ada.act(), ben.act()]);
    await expect(async () => {
      const [one, two] = [await ada.seen(), await ben.seen()];
      expect([one.saved, two.saved]).toEqual([true, true]);
      expect(canonical(one.document)).toEqual(canonical(two.document));
    }, told()).toPass({ timeout: 30_000 });
    for (const person of people) {
      const { document, editor, shown, divergences } = await person.seen();
      expect(canonical(editor), told()).toEqual(canonical(document));
      expect(shown, told()).toBe(letters(editor));
      expect(person.errors, told()).toEqual([]);
      expect(divergences, told()).toBe(0);
    }
    expect(letters((await ada.seen()).document).length, told()).toBeGreaterThan(0);
    for (const { page } of people) await page.context().close();
    await site.close();
    await server.stop();
  });
}
