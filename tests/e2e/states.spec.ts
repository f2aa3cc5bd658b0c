// What the example says and shows where something is amiss: no connection at all, an address of no script.
import { agreed, expect, test } from "./fixtures.ts";

test("a reload without server and network shows the script; what is typed then arrives later", async ({ stage }) => {
  const ada = await stage.join("Ada", { device: { serviceWorkers: "allow" } });
  await ada.caret(0);
  await ada.type("INT. KEPT - DAY\nWords of before.");
  await ada.saved();
  // Installed means that every file of the page is on the device.
  await ada.page.evaluate(async () => void (await navigator.serviceWorker.ready));

  await stage.server.kill();
  await ada.context.setOffline(true);
  await ada.page.reload();
  await ada.ready();
  expect(await ada.lines()).toEqual(["INT. KEPT - DAY", "Words of before."]);
  await ada.caret(1);
  await ada.type(" And of since.");
  await ada.page.reload();
  await ada.ready();
  const words = ["INT. KEPT - DAY", "Words of before. And of since."];
  expect(await ada.lines()).toEqual(words);
  // Nothing of the server's is kept: who asks it learns that it is away.
  const asked = () => ada.page.evaluate(() => fetch("./api/scenes/blank/versions").then(String, () => "away"));
  expect(await asked()).toBe("away");

  await stage.server.run();
  await ada.context.setOffline(false);
  await ada.saved();
  const ben = await stage.join("Ben");
  expect(await agreed(ada, ben)).toEqual(words);
  const kept = await ada.page.evaluate(async () => {
    const names = await caches.keys();
    const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
    return requests.flat().map(({ url }) => new URL(url).pathname);
  });
  expect(kept.filter((path) => !/^\/(?:assets\/[\w.-]+|icon\.svg|)$/.test(path))).toEqual([]);
  expect(kept.some((path) => path.endsWith(".wasm"))).toBe(true);
});

test("an address of no script says so and opens none", async ({ stage }) => {
  const ada = await stage.join("Ada", { scene: "x".repeat(257), closed: true });
  await expect(ada.page.getByRole("alert")).toContainText("too long: it has 257 bytes");
  await expect(ada.page.locator(".paper")).toHaveCount(0);
  // The list is there, to get on from.
  await ada.page.getByRole("link", { name: /Blank page/ }).click();
  await ada.ready();
  await expect(ada.page.getByRole("alert")).toHaveCount(0);
});

test("a script may have any name that the server takes", async ({ stage }) => {
  const scene = "Люди/и звери? 100%";
  const ada = await stage.join("Ada", { scene });
  await ada.caret(0);
  await ada.type("INT. HERE - DAY");
  await ada.saved();
  const ben = await stage.join("Ben", { scene });
  expect(await agreed(ada, ben)).toEqual(["INT. HERE - DAY"]);
});
