// node inspect.mjs FILE [ROOT]: a document (a Yjs update, binary) printed: its sequences, then what it shows.
import fs from "node:fs";
import * as Y from "yjs";
import { dump } from "./doc.mjs";
import { show } from "./expect.mjs";
import { build, toSlate } from "./tree.mjs";
import { view } from "./view.mjs";

const [file, root = "content"] = process.argv.slice(2),
  doc = new Y.Doc();
Y.applyUpdate(doc, fs.readFileSync(file));
console.log(dump(doc, root));
console.log(
  "shows:",
  show(toSlate(build(view(doc.get(root, Y.XmlText), { isVoid: () => false, isInline: () => false }).root))),
);
