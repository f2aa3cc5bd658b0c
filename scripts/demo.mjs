// `npm run demo`: the video of the README. Two people write one scene, each in a browser of their own: at once in one
// line, offline and back, with a note, and with the history. Chromium hands out what it paints (`Page.startScreencast`),
// ffmpeg puts the two side by side. Needs a built example and server, and ffmpeg (Debian: `apt-get install ffmpeg`).
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "@playwright/test";
import { freePort, must, root, say } from "./process.mjs";

/** What one person's window has, and the line of words below both. */
const WINDOW = { width: 860, height: 680 };
const WORDS = { width: 2 * WINDOW.width, height: 64 };
/** Of the video: half of it is for each person. */
const WIDTH = 1440;
const FRAMES_PER_SECOND = 12;
const MOST_BYTES = 3_000_000;

const out = join(root, "docs/images");
const data = mkdtempSync(join(tmpdir(), "slate-yrs-demo-"));
mkdirSync(out, { recursive: true });

const port = await freePort();
const page = `http://127.0.0.1:${port}/`;
const server = spawn(
  process.env.SLATE_YRS_SERVER ?? join(root, "target/debug/slate-yrs-server"),
  [
    ...["--listen", `127.0.0.1:${port}`],
    ...["--database", `sqlite://${join(data, "demo.sqlite")}`],
    ...["--static", join(root, "examples/screenplay/dist")],
    ...["--heartbeat-ms", "1000"],
  ],
  { stdio: "ignore" },
);

/** Ben's way to the server, which can be cut. */
class Wire {
  #sockets = new Set();
  #server = null;

  constructor(port) {
    this.port = port;
  }

  async open() {
    this.#server = createServer((near) => {
      const far = connect(port, "127.0.0.1");
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on("error", () => {});
        socket.on("close", () => {
          this.#sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far);
      far.pipe(near);
    });
    await new Promise((ready) => this.#server.listen(this.port, "127.0.0.1", ready));
  }

  cut() {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** What one tab paints, from the moment that the film begins. */
class Camera {
  #frames = [];
  #session;

  static async on(name, tab, size) {
    const camera = new Camera();
    camera.name = name;
    camera.#session = await tab.context().newCDPSession(tab);
    camera.#session.on("Page.screencastFrame", ({ data: picture, metadata, sessionId }) => {
      camera.#frames.push({ at: metadata.timestamp, picture });
      camera.#session.send("Page.screencastFrameAck", { sessionId }).catch(() => {});
    });
    await camera.#session.send("Page.startScreencast", {
      ...{ format: "jpeg", quality: 85, everyNthFrame: 1 },
      ...{ maxWidth: size.width, maxHeight: size.height },
    });
    return camera;
  }

  /** A list for ffmpeg: each picture stands until the next. */
  async develop(from, to) {
    await this.#session.send("Page.stopScreencast");
    const shown = this.#frames.filter(({ at }, n, all) => (all[n + 1]?.at ?? to) > from && at < to);
    const lines = shown.map(({ at, picture }, n) => {
      const file = join(data, `${this.name}-${n}.jpg`);
      writeFileSync(file, Buffer.from(picture, "base64"));
      const until = shown[n + 1]?.at ?? to;
      return `file '${file}'\nduration ${(until - Math.max(from, at)).toFixed(3)}\n`;
    });
    const list = join(data, `${this.name}.txt`);
    // The last one is named twice: ffmpeg forgets its duration otherwise.
    writeFileSync(list, `${lines.join("")}${lines.at(-1)?.split("\n")[0]}\n`);
    return list;
  }
}

const pause = (ms) => new Promise((wake) => setTimeout(wake, ms));
const now = () => Date.now() / 1000;

async function up() {
  for (let tries = 0; tries < 200; tries += 1) {
    const answer = await fetch(`${page}healthz`).catch(() => null);
    if (answer?.ok) return;
    await pause(100);
  }
  throw new Error("the server did not come up");
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});

async function writer(name, color, more = {}) {
  const context = await browser.newContext({ viewport: WINDOW, serviceWorkers: "block" });
  const tab = await context.newPage();
  await tab.goto(`${page}?${new URLSearchParams({ scene: "pilot", name, color, ...more })}`);
  await tab.locator(".paper .block").first().waitFor();
  await saved(tab);
  return tab;
}

const status = (tab, text) => tab.locator(".slate-yrs-status", { hasText: text }).waitFor();
const saved = (tab) => status(tab, /^Saved/);

/** Clicks into a block and puts the caret behind so many of its characters; without a number, at its end. */
async function place(tab, block, from, to = from) {
  const line = tab.locator(".paper .block").nth(block);
  await line.click();
  await line.evaluate(
    (element, [from, to]) => {
      const selection = getSelection();
      selection.selectAllChildren(element);
      if (from === null) return selection.collapseToEnd();
      const find = (offset) => {
        let left = offset;
        const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
          if (left <= node.data.length) return [node, left];
          left -= node.data.length;
        }
        return [element, 0];
      };
      selection.setBaseAndExtent(...find(from), ...find(to));
    },
    [from ?? null, to ?? null],
  );
  // Slate reads the browser's selection ten times a second.
  await pause(250);
}

const type = (tab, text, delay = 75) => tab.keyboard.type(text, { delay });
const menu = async (tab, name) => {
  await tab.getByRole("button", { name: "More" }).click();
  await pause(500);
  await tab.getByRole("button", { name, exact: true }).click();
};

try {
  await up();
  const wire = new Wire(await freePort());
  await wire.open();
  const ada = await writer("Ada", "#5b62ee");
  const ben = await writer("Ben", "#d93a32", { server: `ws://127.0.0.1:${wire.port}/ws/scenes` });
  const words = await (await browser.newContext({ viewport: WORDS })).newPage();
  await words.setContent(
    `<body style="margin:0;height:${WORDS.height}px;display:grid;place-items:center;background:#14151a;color:#fff;` +
      'font:500 26px Inter,"DejaVu Sans",sans-serif"><p id="words" style="margin:0"></p>',
  );
  const tell = (text) => words.locator("#words").evaluate((element, text) => (element.textContent = text), text);
  await fetch(`${page}api/scenes/pilot/versions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ label: "First draft" }),
  });
  for (const tab of [ada, ben]) await tab.locator("#desk").evaluate((desk) => desk.scrollTo(0, 0));

  const cameras = [
    await Camera.on("ada", ada, WINDOW),
    await Camera.on("ben", ben, WINDOW),
    await Camera.on("words", words, WORDS),
  ];
  await tell("Two people write one scene");
  await pause(600);
  const from = now();

  await pause(900);
  await place(ada, 2);
  await place(ben, 4);
  await Promise.all([type(ada, " Wind. A door, somewhere."), type(ben, " Who, and since when?")]);
  await pause(700);

  await tell("Ada presses Enter in a line while Ben types in it");
  const line = await ada
    .locator(".paper .block")
    .nth(2)
    .evaluate((element) => element.textContent.indexOf("."));
  await Promise.all([place(ada, 2, line + 2), place(ben, 2)]);
  await Promise.all([type(ben, " It slams. Nobody moves.", 90), pause(700).then(() => ada.keyboard.press("Enter"))]);
  await pause(1_200);

  await tell("Ben is on a train: offline, and both go on");
  wire.cut();
  await status(ben, /Offline/);
  await place(ben, 3);
  await Promise.all([type(ben, " Not now."), place(ada, 7).then(() => type(ada, " Ask me tomorrow."))]);
  await status(ben, /kept on this device/);
  await pause(1_300);
  await tell("Back again: nothing is lost, nothing is twice");
  await wire.open();
  await ben.evaluate(() => void dispatchEvent(new Event("online")));
  await saved(ben);
  await ada.locator(".paper", { hasText: "Not now." }).waitFor();
  await pause(1_600);

  await tell("A note stays on its words");
  await place(ada, 2, 0, 11);
  await ada.getByRole("button", { name: "Notes" }).click();
  await pause(500);
  await ada.getByRole("button", { name: "Note on the selection" }).click();
  await type(ada, "Too quiet?", 60);
  await ada.getByRole("button", { name: "Add note" }).click();
  await ben.locator(".slate-yrs-commented").first().waitFor();
  await pause(500);
  await ben.locator(".slate-yrs-commented").first().click();
  await pause(1_800);
  for (const tab of [ada, ben]) await tab.getByRole("button", { name: "Close the notes" }).click();

  await tell("What has changed, and who it was");
  await menu(ada, "History");
  await ada.getByRole("button", { name: /First draft/ }).click();
  await ada.locator(".paper.version ins").first().waitFor();
  await pause(2_600);
  const to = now();

  say(`Filmed ${(to - from).toFixed(0)} s`);
  const [left, right, below] = await Promise.all(cameras.map((camera) => camera.develop(from, to)));
  await browser.close();
  const film = join(out, "demo.webm");
  const still = join(out, "demo.png");
  const size = `scale=${WINDOW.width}:${WINDOW.height},setsar=1,fps=${FRAMES_PER_SECOND}`;
  const picture =
    `[0:v]${size},pad=iw+2:ih:0:0:0x14151a[a];[1:v]${size}[b];[2:v]scale=${WORDS.width + 2}:${WORDS.height},setsar=1,` +
    `fps=${FRAMES_PER_SECOND}[c];[a][b]hstack[two];[two][c]vstack,scale=${WIDTH}:-2:flags=lanczos`;
  const inputs = [left, right, below].flatMap((list) => ["-f", "concat", "-safe", "0", "-i", list]);
  await must("ffmpeg", [
    ...["-y", "-loglevel", "error", ...inputs, "-filter_complex", picture, "-t", (to - from).toFixed(2)],
    ...["-c:v", "libvpx-vp9", "-crf", "36", "-b:v", "0", "-row-mt", "1", "-cpu-used", "3", "-an", film],
  ]);
  // The picture that links to it: both in one line.
  await must("ffmpeg", ["-y", "-loglevel", "error", "-ss", "7", "-i", film, "-frames:v", "1", still]);
  const bytes = statSync(film).size;
  say(`docs/images/demo.webm: ${(bytes / 1e6).toFixed(2)} MB`);
  if (bytes > MOST_BYTES) throw new Error(`the video has more than ${MOST_BYTES / 1e6} MB`);
} finally {
  await browser.close();
  server.kill("SIGTERM");
  rmSync(data, { recursive: true, force: true });
}
process.exit(0);
