// esbuild leaves `new URL(…, import.meta.url)` as it is: the file is imported with the loader `file`, and named to `init`.
import { init } from "slate-yrs";
import wasm from "slate-yrs/slate-yrs.wasm";
import { start } from "./editor.js";

init(new URL(wasm, import.meta.url));
start();
