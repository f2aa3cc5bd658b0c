// Each of the three browsers where no WebSocket opens, so that all goes over HTTP; and what a page asks for first: the socket,
// while the module is still on its way.
import { type Browser, expect, test } from "@playwright/test";
import type { Collab } from "slate-yrs";
import { hasFirefox } from "./firefox.ts";
import { missing, Nginx } from "./nginx.ts";
import { hasWebKit } from "./webkit.ts";
import { Chromium, firefox, isWell, place, START, says, shows, toEnd, type Writer, webkit } from "./writers.ts";

const BROWSERS: { name: string; there: boolean; open(url: string, browser: Browser): Promise<Writer> }[] = [
  { name: "Chromium", there: true, open: (url, browser) => Chromium.open(browser, url) },
  { name: "Firefox", there: hasFirefox, open: (url) => firefox(url) },
  { name: "WebKit", there: hasWebKit, open: webkit },
];

const transport = () => (window as unknown as { collab: Collab }).collab.status.transport;

// Chromium alone is driven harder in http.spec.ts.
for (const { name, there, open } of BROWSERS.slice(1)) {
  test(`${name} over HTTP: both write, the server is killed, one types offline and reloads`, async ({ browser }) => {
    test.skip(!there || missing, "the browser, or nginx, is not on this machine");
    test.setTimeout(300_000);
    const { of, server, stop } = await place();
    const nginx = await Nginx.before(server, "");
    const opened: Writer[] = [];
    try {
      const ada = await open(of("Ada", nginx.scenes), browser);
      opened.push(ada);
      const ben = await Chromium.open(browser, of("Ben", nginx.scenes));
      opened.push(ben);
      await Promise.all(opened.map((writer) => says(writer, /^Saved/)));
      await shows(ada, START);
      await toEnd(ada);
      await ada.type(" Ada.");
      await shows(ben, `${START} Ada.`);
      await toEnd(ben);
      await ben.type(" Ben.");
      await shows(ada, `${START} Ada. Ben.`);
      expect(await ada.evaluate(transport)).toBe("http");
      await says(ada, /^Saved/);

      await server.kill();
      await says(ada, /^Offline/);
      await toEnd(ada);
      await ada.type(" Kept.");
      await says(ada, /kept on this device/);
      await ada.reload();
      await shows(ada, `${START} Ada. Ben. Kept.`);
      await server.run();
      await says(ada, /^Saved/);
      await shows(ben, `${START} Ada. Ben. Kept.`);
      expect(await ada.evaluate(transport)).toBe("http");
      // A server that was started anew does not know the stream.
      for (const writer of opened) await isWell(writer, /status of 404/);
    } finally {
      for (const writer of opened) await writer.close();
      await nginx.stop();
      await stop();
    }
  });
}

/** Notes when a page asks for a socket, and when it has a module. */
const NOTED = `<script>{
  const noted = (window.noted = []);
  window.WebSocket = class extends WebSocket {
    constructor(url) {
      super(url);
      noted.push("socket");
    }
  };
  for (const by of ["instantiate", "instantiateStreaming"]) {
    const before = WebAssembly[by];
    WebAssembly[by] = async (...given) => {
      const made = await before.apply(WebAssembly, given);
      noted.push("module");
      return made;
    };
  }
}</script>`;
const noted = () => (window as unknown as { noted: string[] }).noted;

for (const { name, there, open } of BROWSERS) {
  test(`${name} asks for the socket while the module is on its way, and for one only`, async ({ browser }) => {
    test.skip(!there, "the browser is not on this machine");
    test.setTimeout(180_000);
    const { of, stop } = await place(NOTED);
    let writer: Writer | undefined;
    try {
      writer = await open(of("Ada"), browser);
      await says(writer, /^Saved/);
      await shows(writer, START);
      await toEnd(writer);
      await writer.type(" Ada.");
      await says(writer, /^Saved/);
      expect(await writer.evaluate(noted)).toEqual(["socket", "module"]);
      await isWell(writer);
    } finally {
      await writer?.close();
      await stop();
    }
  });
}
