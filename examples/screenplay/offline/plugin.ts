// Writes `sw.js` beside the built page: the service worker, with the files of this build and a version made of them.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

const source = fileURLToPath(new URL("service-worker.js", import.meta.url));
/** What browsers since 2018 do not load. */
const NOT_NEEDED = /\.woff$/;

export function offline(): Plugin {
  return {
    name: "screenplay-offline",
    apply: "build",
    enforce: "post",
    generateBundle(_, bundle) {
      const files = Object.keys(bundle).filter((name) => name.startsWith("assets/") && !NOT_NEEDED.test(name));
      const page = bundle["index.html"];
      if (page?.type !== "asset") this.error("the page is not there yet");
      const worker = readFileSync(source, "utf8");
      const version = createHash("sha256");
      for (const part of [worker, ...files.sort(), page.source]) version.update(part);
      this.emitFile({
        type: "asset",
        fileName: "sw.js",
        source: worker
          .replace('["FILES"]', JSON.stringify(["icon.svg", ...files], null, 2))
          .replace("screenplay-VERSION", `screenplay-${version.digest("hex").slice(0, 16)}`),
      });
    },
  };
}
