// The second table of docs/CONCURRENCY.md: scenarios of tests/scenarios, in slate-yjs and in slate-yrs in either format.
// Which of them is a matter of counting: every seventh of each file but that of devices with servers.
import { type Descendant, Element, Text } from "slate";
import { string } from "../scenarios/expect.mjs";
import { engineOf } from "../scenarios/runner/engines.js";
import { FAMILIES, type Family, family, type Pair, type Story } from "../scenarios/runner/files.js";
import { play, runsOf, schemaOf } from "../scenarios/runner/play.js";
import type { Engine } from "../scenarios/runner/replica.js";
import { type Outcome, type Row, tableOf } from "./concurrency.js";
import { slateYjs } from "./slate-yjs.js";

const EVERY = 7;

/** So many faults of one outcome are named. */
const SAID = 3;

/** What does not hold in format 1. */
const REST = ["inlines-016", "outlines-046"];

interface Chosen {
  readonly it: Family;
  readonly scenario: Pair | Story;
}

const ALL: readonly Chosen[] = FAMILIES.map(family)
  .filter((it) => it.form !== "lives")
  .flatMap((it) => it.scenarios.map((scenario) => ({ it, scenario: scenario as Pair | Story })));

export const CHOSEN: readonly Chosen[] = ALL.filter(
  ({ it, scenario }) => (it.scenarios as readonly unknown[]).indexOf(scenario) % EVERY === 0,
);

/** Every {@link EVERY}th scenario. */
export const nested = (): Promise<string> => tableFor(CHOSEN);

/** Those that do not hold in format 1. */
export const rest = (): Promise<string> => tableFor(ALL.filter(({ scenario }) => REST.includes(scenario.id)));

async function tableFor(chosen: readonly Chosen[]): Promise<string> {
  const engines = [slateYjs, engineOf("format0"), engineOf("format1")];
  const rows: Row[] = [];
  for (const { it, scenario } of chosen) {
    const cells: Outcome[] = [];
    for (const engine of engines) cells.push(await outcome(engine, it, scenario));
    const start = shown(scenario.prepared ?? scenario.value, inlines(it, scenario));
    rows.push({ name: `${scenario.id}: ${scenario.name}<br>\`${start}\``, cells });
  }
  return tableOf(rows);
}

const inlines = (it: Family, scenario: Pair | Story) => new Set(schemaOf(it, scenario).inline ?? []);

async function outcome(engine: Engine, it: Family, scenario: Pair | Story): Promise<Outcome> {
  const values = new Set<string>();
  const damage = new Set<string>();
  for (const run of runsOf(it.form)) {
    const { complaints, value } = await play(engine, scenario, schemaOf(it, scenario), run);
    if (value !== null) values.add(shown(value, inlines(it, scenario)));
    for (const complaint of complaints) damage.add(inShort(complaint, scenario, value ?? []));
  }
  const all = [...damage].sort();
  const more = all.length > SAID ? `; ${all.length - SAID} more` : "";
  return { values: [...values].sort(), damage: `${all.slice(0, SAID).join("; ")}${more}` };
}

/** A complaint of the scenarios, so that it goes into a cell. */
function inShort(complaint: string, { expect }: Pair | Story, value: Descendant[]): string {
  if (/^expected (?!one)|^expected one of/.test(complaint)) return letters(expect.value ?? expect.oneOf![0]!, value);
  if (complaint.startsWith("threw")) return "throws";
  if (complaint.startsWith("they differ")) return "editors differ";
  if (complaint.startsWith("an editor has")) return "an editor differs from its document";
  if (complaint.startsWith("who opens it anew")) return "who opens it anew has something else";
  if (complaint.startsWith("opened as") || complaint.startsWith("prepared as"))
    return "is something else already before";
  if (complaint.startsWith("on the console")) return "an error on the console";
  return complaint.replace(/: it was .*/s, "").replace(/expected .*/s, "not as expected");
}

/** What is missing in `value`, and what is there too often. */
function letters(wanted: Descendant[], value: Descendant[]): string {
  const count = (nodes: Descendant[]) => {
    const found = new Map<string, number>();
    for (const letter of string(nodes)) found.set(letter, (found.get(letter) ?? 0) + 1);
    return found;
  };
  const [want, have] = [count(wanted), count(value)];
  const difference = (more: Map<string, number>, less: Map<string, number>) =>
    [...more].map(([letter, times]) => letter.repeat(Math.max(0, times - (less.get(letter) ?? 0)))).join("");
  const [lost, doubled] = [difference(want, have), difference(have, want)];
  const said = [lost && `loses ${lost}`, doubled && `too often ${doubled}`].filter(Boolean).join(", ");
  return said === "" ? "not as expected" : said;
}

/** A value in one line: `ul[li[one] ¶ li[two]]`. A paragraph is its text; `li(one)` has text itself; `{a:…}` is inline. */
export function shown(value: readonly Descendant[], inline: ReadonlySet<string>): string {
  const isBlock = (node: Descendant): node is Element => Element.isElement(node) && !inline.has(typeOf(node));
  const inner = (children: readonly Descendant[]): string =>
    children.some(isBlock)
      ? children
          .filter((child) => isBlock(child) || string([child]) !== "")
          .map(one)
          .join(" ¶ ")
      : children.map(one).join("");
  const one = (node: Descendant): string => {
    if (Text.isText(node)) return leaf(node);
    const { children, type: _, data: __, ...more } = node as Element & Record<string, unknown>;
    const type = `${typeOf(node)}${properties(more)}`;
    if (inline.has(typeOf(node))) return `{${type}:${inner(children)}}`;
    if (children.some(isBlock)) return `${type}[${inner(children)}]`;
    return type === "p" ? inner(children) : `${type}(${inner(children)})`;
  };
  return value.length === 0 ? "nothing" : inner(value);
}

const typeOf = (node: Element): string => (node as { type?: string }).type ?? "?";

function leaf({ text, ...marks }: Text): string {
  const { bold, ...more } = marks as Record<string, unknown>;
  if (text === "") return "";
  const inside = properties(more) === "" ? text : `«${properties(more).slice(1, -1)}:${text}»`;
  return bold === true ? `**${inside}**` : inside;
}

function properties(object: object): string {
  const all = Object.entries(object).filter(([, value]) => value !== undefined);
  if (all.length === 0) return "";
  const said = all.map(([key, value]) =>
    value === true ? key : `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return `<${said.sort().join(",")}>`;
}
