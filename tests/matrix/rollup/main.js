// Rollup leaves `new URL(…, import.meta.url)` as it is: the build copies the file, and `init` is told where it is.
import { init } from "slate-yrs";
import { start } from "./editor.js";

init(new URL("./slate_yrs_bg.wasm", import.meta.url));
start();
