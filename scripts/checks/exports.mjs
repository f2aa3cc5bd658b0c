// Every name that the package exports is in the documents: what can be called or rendered with an example in code, a type
// at least by name.
import { close, files, text } from "./sources.mjs";

const ENTRIES = ["js/index.ts", "js/slate.ts", "js/react.ts", "js/comments.ts", "js/testing.ts"];
const LISTED = /^export (type )?\{([^}]*)\}/gm;
const DECLARED = /^export (?:async )?(function|const|class|interface|type) (\w+)/gm;

/** What a module exports: names, and whether each is a type only. */
export function exported(source) {
  const names = new Map();
  for (const [, allTypes, list] of source.matchAll(LISTED)) {
    for (const item of list.split(",")) {
      const [, type, name] = item.trim().match(/^(type )?(\w+)$/) ?? [];
      if (name) names.set(name, Boolean(allTypes ?? type));
    }
  }
  for (const [, kind, name] of source.matchAll(DECLARED)) names.set(name, kind === "interface" || kind === "type");
  return names;
}

/** What is missing in the documents, in words. `examples`: code in `@example` comments counts as well. */
export function undocumented(names, documents, examples) {
  // docs/API.md has the declarations of all of them, which are no examples.
  const used = documents.filter((document) => !document.startsWith("# The interface"));
  const fenced = used.flatMap((document) => document.match(/^ *```[\s\S]*?^ *```/gm) ?? []).join("\n");
  const prose = documents.join("\n");
  const says = (text, name) => new RegExp(`\\b${name}\\b`).test(text);
  return [...names].flatMap(([name, isType]) => {
    if (!says(prose, name)) return [`no document names ${name}`];
    return isType || says(fenced, name) || says(examples, name) ? [] : [`there is no example of ${name}`];
  });
}

/** The code of all `@example`s of a source. */
export const examplesOf = (source) => (source.match(/@example[\s\S]*?\*\//g) ?? []).join("\n");

if (import.meta.url === `file://${process.argv[1]}`) {
  const names = new Map(ENTRIES.flatMap((entry) => [...exported(text(entry))]));
  const listed = ["README.md", ...files("docs").filter((file) => file.endsWith(".md"))];
  const sources = files("js").filter((file) => /\.tsx?$/.test(file) && !file.includes(".test."));
  console.log(`exports: ${names.size} names`);
  close("exports", undocumented(names, listed.map(text), sources.map(text).map(examplesOf).join("\n")));
}
