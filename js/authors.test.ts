import { afterEach, expect, it, vi } from "vitest";
import { authorsOf } from "./authors.js";

const options = { id: "scene", url: "wss://host/ws/scenes", root: "script" };

/** What the server says, and what the engine has: in the first text Ada's "One" with Ben's "two" in it, a letter that nobody has heard of, and Ada again. */
const answer = {
  etag: "x",
  runs: [
    {
      path: [0, 0],
      offset: 0,
      length: 4,
      author: "ada",
      at: "1970-01-01T00:00:01Z",
      ids: [
        [7, 10, 2],
        [7, 12, 2],
      ],
    },
    { path: [0, 0], offset: 4, length: 3, author: "ben", at: "1970-01-01T00:00:02Z", ids: [[8, 0, 3]] },
    { path: [1, 0], offset: 0, length: 2, author: null, at: null, ids: [[9, 4, 2]] },
  ],
};
const runs = [
  ...[2, 0, 0, 0, 2, 7, 10],
  ...[2, 0, 0, 2, 3, 8, 0],
  ...[2, 0, 0, 5, 1, 8, 3],
  ...[2, 0, 0, 6, 2, 7, 12],
  ...[2, 1, 0, 0, 2, 9, 4],
];

const spot = (path: number[], anchor: number, focus: number, author: string | null, at: number | null) => ({
  range: { anchor: { path, offset: anchor }, focus: { path, offset: focus } },
  author,
  at,
});

afterEach(() => vi.unstubAllGlobals());

function ask(range?: Parameters<typeof authorsOf>[2], flat: number[] = runs) {
  vi.stubGlobal("fetch", async (url: URL) => {
    expect(url.href).toBe("https://host/api/scenes/scene/blame?root=script");
    return new Response(JSON.stringify(answer));
  });
  return authorsOf(options, () => flat, range);
}

it("says of what stands here whose it is, by its ids", async () => {
  expect(await ask()).toEqual([
    spot([0, 0], 0, 2, "ada", 1_000),
    spot([0, 0], 2, 5, "ben", 2_000),
    spot([0, 0], 5, 6, null, null),
    spot([0, 0], 6, 8, "ada", 1_000),
    spot([1, 0], 0, 2, null, null),
  ]);
});

it("joins what one wrote in one sitting, also where its ids do not follow each other", async () => {
  const flat = [...[1, 0, 0, 2, 7, 12], ...[1, 0, 2, 2, 7, 10]];
  expect(await ask(undefined, flat)).toEqual([spot([0], 0, 4, "ada", 1_000)]);
});

it("says it of a range, whichever way it goes", async () => {
  const anchor = { path: [0, 0], offset: 4 };
  const focus = { path: [1, 0], offset: 1 };
  const wanted = [
    spot([0, 0], 4, 5, "ben", 2_000),
    spot([0, 0], 5, 6, null, null),
    spot([0, 0], 6, 8, "ada", 1_000),
    spot([1, 0], 0, 1, null, null),
  ];
  expect(await ask({ anchor, focus })).toEqual(wanted);
  expect(await ask({ anchor: focus, focus: anchor })).toEqual(wanted);
  expect(await ask({ anchor, focus: { path: [0, 0], offset: 5 } })).toEqual(wanted.slice(0, 1));
});
