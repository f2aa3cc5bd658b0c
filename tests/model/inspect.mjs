// node inspect.mjs FILE [ROOT]: a document (a Yjs update, binary) printed: its sequences, then what it shows.
// node inspect.mjs --line N FILE: one that draw.mjs drew (of a history: after its last update).
import fs from "node:fs";
import * as Y from "yjs";
import { show } from "../scenarios/expect.mjs";
import { dump } from "./doc.mjs";
import { build, toSlate } from "./tree.mjs";
import { view } from "./view.mjs";

const args = process.argv.slice(2),
  doc = new Y.Doc();
let schema = { inline: [], void: [] },
  root = "content";
if (args[0] === "--line") {
  const drawn = JSON.parse(fs.readFileSync(args[2], "utf8").split("\n")[args[1] - 1]);
  for (const { update } of drawn.steps ?? [drawn]) Y.applyUpdate(doc, Buffer.from(update, "base64"));
  schema = drawn.schema;
} else {
  root = args[1] ?? root;
  Y.applyUpdate(doc, fs.readFileSync(args[0]));
}
const rules = { isVoid: (p) => schema.void.includes(p.type), isInline: (p) => schema.inline.includes(p.type) };
console.log(dump(doc, root));
console.log("shows:", show(toSlate(build(view(doc.get(root, Y.XmlText), rules).root)), schema));
