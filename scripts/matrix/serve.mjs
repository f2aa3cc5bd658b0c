// A folder as a web site, under a path, with headers of one's own and something more in the head of its pages.
import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** Serves until `close` is called. */
export async function serve(folder, { path = "/", headers = {}, head = "" } = {}) {
  const server = createServer((request, response) => {
    const asked = decodeURIComponent(new URL(request.url, "http://host").pathname);
    const within = asked.startsWith(path) ? normalize(asked.slice(path.length)) : null;
    if (within === null || within.startsWith("..")) return void response.writeHead(404).end();
    const found = join(folder, within);
    const file = existsSync(found) && statSync(found).isDirectory() ? join(found, "index.html") : found;
    if (!existsSync(file)) return void response.writeHead(404).end();
    response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream", ...headers });
    const page = extname(file) === ".html" && head !== "";
    response.end(page ? readFileSync(file, "utf8").replace("<head>", () => `<head>${head}`) : readFileSync(file));
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    address: `http://127.0.0.1:${server.address().port}${path}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((closed) => server.close(closed));
    },
  };
}
