// The document is open in a worker, without React and without a page; the page shows what it says and sends what to write.
const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
const page = document.getElementById("root");
page.innerHTML = '<textarea aria-label="Scene"></textarea><p class="slate-yrs-status"></p>';
const scene = page.querySelector("textarea");
const query = Object.fromEntries(new URLSearchParams(location.search));

worker.addEventListener("message", ({ data: { value, status } }) => {
  if (value !== undefined && value !== scene.value) scene.value = value;
  if (status !== undefined) page.querySelector("p").textContent = status;
});
scene.addEventListener("input", () => worker.postMessage({ text: scene.value }));
worker.postMessage({ open: query });
