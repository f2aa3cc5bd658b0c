// The files are what they were: an expectation is not changed so that an engine meets it.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { ENGINES } from "./runner/engines.js";
import { FAMILIES, failing, family } from "./runner/files.js";

const read = (name: string) => readFileSync(new URL(name, import.meta.url));

it("the files are those of checksums.txt, byte for byte", () => {
  const sums = read("checksums.txt").toString().trim().split("\n");
  const made = sums.map((line) => {
    const name = line.slice(line.indexOf("  ") + 2);
    return `${createHash("sha256").update(read(name)).digest("hex")}  ${name}`;
  });
  expect(made).toEqual(sums);
  const files = readdirSync(new URL(".", import.meta.url)).filter((name) => /\.(json|mjs)$/.test(name));
  const named = sums.map((line) => line.split("  ")[1]);
  expect(files.filter((name) => name !== "scenarios.failing.json").sort()).toEqual(named.sort());
});

const ids = FAMILIES.flatMap((name) => family(name).scenarios.map(({ id }) => id));

it("there are 531 scenarios, each with an id of its own", () => {
  expect([ids.length, new Set(ids).size]).toEqual([531, 531]);
});

it.each(ENGINES.map(({ name }) => name))("what is listed as failing on %s is a scenario, named once", (name) => {
  const { always, sometimes } = failing(name);
  const listed = [...always, ...Object.keys(sometimes)];
  expect(listed.filter((id) => !ids.includes(id))).toEqual([]);
  expect(listed.length).toBe(new Set(listed).size);
  expect(Object.values(sometimes).filter((reason) => reason.length < 20)).toEqual([]);
});
