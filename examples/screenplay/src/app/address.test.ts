import { describe, expect, it } from "vitest";
import { FIRST_SCENE, parseAddress } from "./address.ts";

const at = (query: string) => parseAddress(`https://example.org/${query}`);

describe("the script that an address names", () => {
  it.each([
    ["", FIRST_SCENE],
    ["?scene=act-2_b.1", "act-2_b.1"],
    [`?scene=${"x".repeat(256)}`, "x".repeat(256)],
    ["?scene=Люди/и%20звери", "Люди/и звери"],
    ["?scene=...", "..."],
  ])("%s: %s", (query, scene) => {
    expect(at(query)).toMatchObject({ scene, refused: null });
  });

  it.each([
    ["?scene=", /names no script/],
    ["?scene=.", /dots/],
    ["?scene=..", /dots/],
    [`?scene=${"x".repeat(257)}`, /257 bytes, and 256/],
    [`?scene=${"ж".repeat(129)}`, /258 bytes/],
    ["?scene=a%00b", /cannot be shown/],
    ["?scene=a%0Ab", /cannot be shown/],
    ["?scene=a%C2%85b", /cannot be shown/],
  ])("%s: none, and it is said why", (query, why) => {
    expect(at(query).refused).toMatch(why);
  });
});
