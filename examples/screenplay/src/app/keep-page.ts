// Has the browser keep the built page, so that a reload without a connection shows the editor: offline/service-worker.js.

/** Once the page is there: what it needs itself goes first. Where it cannot be kept, the editor works all the same. */
export function keepPage(): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  const keep = () => {
    navigator.serviceWorker.register("./sw.js").catch((error: unknown) => {
      console.info("The page is not kept on this device:", error);
    });
  };
  if (document.readyState === "complete") keep();
  else addEventListener("load", keep, { once: true });
}
