// @vitest-environment jsdom
import { expect, it } from "vitest";
import { contrast, parseColor, relativeLuminance } from "../../../../js/react/colors.ts";
import { COLORS, colorFor, initials } from "./person.ts";

const light = (color: string) => relativeLuminance(parseColor(color) ?? [0, 0, 0]);

it.each(COLORS)("%s can be read and seen on both pages", (color) => {
  expect(contrast(light(color), 1)).toBeGreaterThanOrEqual(4.5);
  // --paper of theme.css
  expect(contrast(light(color), light("#fffefc"))).toBeGreaterThanOrEqual(3);
  expect(contrast(light(color), light("#1d1f23"))).toBeGreaterThanOrEqual(3);
});

it("a name has always the same colour and initials", () => {
  expect(colorFor("Ada")).toBe(colorFor("Ada"));
  expect(new Set(["Ada", "Ben", "Cleo", "Dora", "Emil", "Fay"].map(colorFor)).size).toBeGreaterThan(3);
  expect([initials("Ada Lovelace King"), initials("ada"), initials("🎬 x")]).toEqual(["AK", "A", "🎬X"]);
});
