// The document is open in a worker, without React and without a page; the page shows what it says and sends what to write.
const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
const page = document.getElementById("root");
page.innerHTML = '<textarea aria-label="Scene"></textarea><p class="slate-yrs-status"></p>';
const scene = page.querySelector("textarea");
const query = Object.fromEntries(new URLSearchParams(location.search));

let sent = 0;

worker.addEventListener("message", ({ data: { value, status, heard } }) => {
  // What it says of before it has heard the last key would take that away.
  if (value !== undefined && heard === sent && value !== scene.value) scene.value = value;
  if (status !== undefined) page.querySelector("p").textContent = status;
});
scene.addEventListener("input", () => worker.postMessage({ text: scene.value, sent: ++sent }));
worker.postMessage({ open: query });
