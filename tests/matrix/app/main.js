import { start } from "./editor.js";

start();
