// Keeps the page on the device: a reload without a connection shows the editor, whose words the engine keeps. The build
// fills in its files and version (offline/plugin.ts). The script's documents, the API and sockets never come through here.
const FILES = ["FILES"];
const CACHE = "screenplay-VERSION";
const PAGE = "./";
/** How long the server may take to answer before the page of this device is shown, in ms. */
const PATIENCE = 4_000;

const scope = new URL(PAGE, self.location.href);

self.addEventListener("install", (event) => event.waitUntil(fill()));
self.addEventListener("activate", (event) => event.waitUntil(clear()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== scope.origin || !url.pathname.startsWith(scope.pathname)) return;
  const path = url.pathname.slice(scope.pathname.length);
  if (request.mode === "navigate" && (path === "" || path === "index.html")) event.respondWith(page(request));
  else if (FILES.includes(path)) event.respondWith(file(request));
});

async function fill() {
  const cache = await caches.open(CACHE);
  // Past the browser's own cache, but for files whose name says what is in them.
  await cache.addAll([new Request(PAGE, { cache: "no-cache" }), ...FILES]);
}

/** What earlier versions kept: none of their pages is open any more. */
async function clear() {
  for (const name of await caches.keys()) {
    if (name.startsWith("screenplay-") && name !== CACHE) await caches.delete(name);
  }
  await self.clients.claim();
}

/** The server's page where there is one; else that of this device, whatever script the address names. */
async function page(request) {
  const late = new Promise((resolve) => setTimeout(() => resolve(null), PATIENCE));
  const fromServer = fetch(request).catch(() => null);
  const answer = await Promise.race([fromServer, late]);
  // A proxy answers for a server that is away.
  if (answer !== null && answer.status < 500) return answer;
  return (await kept(PAGE)) ?? (await fromServer) ?? Response.error();
}

/** The name of a file says what is in it: what is kept is right for ever. */
async function file(request) {
  return (await kept(request.url)) ?? fetch(request);
}

async function kept(address) {
  const cache = await caches.open(CACHE);
  return cache.match(address, { ignoreVary: true });
}
