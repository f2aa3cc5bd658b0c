// Every file and folder of this repository that a document names is there, and every heading that one links to.
import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { root } from "../process.mjs";
import { close, files, text } from "./sources.mjs";

const NAMED = /`((?:src|server|js|tests|scripts|docs|bench|examples|fuzz|xtask)\/[\w./-]*\w\/?)(?::\d+)?`/g;
const LINKED = /\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g;

/** What is wrong with one document, in words. */
export function dangling(document, content, isThere, read) {
  const wrong = [];
  for (const [, path] of content.matchAll(NAMED)) if (!isThere(path)) wrong.push(`${document} names ${path}`);
  for (const [, path, heading] of content.matchAll(LINKED)) {
    const target = path === "" ? document : normalize(join(dirname(document), path));
    if (!isThere(target)) wrong.push(`${document} links to ${target}`);
    else if (heading && target.endsWith(".md") && !headings(read(target)).includes(heading)) {
      wrong.push(`${document} links to ${target}#${heading}`);
    }
  }
  return wrong;
}

/** As GitHub makes them: lower case, without what is neither letter, number, space, hyphen nor underscore. */
function headings(content) {
  const bare = (line) => line.replace(/^#+\s+/, "").replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");
  return (content.match(/^#{1,6}\s.*$/gm) ?? []).map((line) =>
    bare(line)
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

if (import.meta.url === `file://${process.argv[1]}`) {
  const documents = ["README.md", "CONTRIBUTING.md", ...files("docs"), ...files("tests")].filter((file) =>
    file.endsWith(".md"),
  );
  const isThere = (path) => existsSync(join(root, path));
  close(
    "paths",
    documents.flatMap((document) => dangling(document, text(document), isThere, text)),
  );
}
