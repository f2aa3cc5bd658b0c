// The checks beside this file say no: each is given something small that is wrong, and has to name it; and something that
// is right, of which it has to be silent.
import assert from "node:assert/strict";
import { circles, rustArrows, typescriptArrows } from "./cycles.mjs";
import { faults, missing } from "./faults.mjs";
import { allowed } from "./licences.mjs";
import { definitions, homonyms } from "./names.mjs";
import { classes, overgrown, rustParts } from "./parts.mjs";
import { dangling } from "./paths.mjs";
import { bare, uprooted } from "./plants.mjs";
import { rustCode } from "./sources.mjs";

const project = (files) => [(file) => files[file] ?? null, Object.keys(files)];

const PLANTED = {
  "a circle of two modules, one by a name that another passes on"() {
    const [read, sources] = project({
      "src/lib.rs": "mod a; mod b; mod c;",
      "src/a.rs": "pub use crate::b::B;\npub struct A;",
      "src/b.rs": "use super::c::C; pub struct B(C);",
      "src/c.rs": "// use crate::a::A;\npub struct C; fn f() { let b: crate::a::B; }",
    });
    assert.deepEqual(circles(rustArrows("src", read, sources)), [["src/b.rs", "src/c.rs"]]);
  },
  "no circle through a test, a comment or a text"() {
    const [read, sources] = project({
      "src/lib.rs": "mod a; mod b;",
      "src/a.rs":
        'pub struct A; /* crate::b::B */ const S: &str = "crate::b::B";\n#[cfg(test)]\nmod t { use crate::b::B; }',
      "src/b.rs": "use crate::a::A; pub struct B(A);",
    });
    assert.deepEqual(circles(rustArrows("src", read, sources)), []);
  },
  "a circle of three TypeScript files"() {
    const [read, sources] = project({
      "js/a.ts": 'import { b } from "./b.js";',
      "js/b.ts": 'import type { C } from "./in/c.js";',
      "js/in/c.ts": 'export { a } from "../a.js";',
      "js/d.ts": 'import { a } from "./a.js";',
    });
    assert.deepEqual(circles(typescriptArrows("js", read, sources)), [["js/a.ts", "js/b.ts", "js/in/c.ts"]]);
  },
  "a name that two types bear"() {
    const [read, sources] = project({
      "a.rs": "struct Look; impl T for Look { type Item = u8; }",
      "b.rs": "enum Look {}",
    });
    const both = definitions(sources, [], read);
    assert.match(homonyms(both, {}, {})[0], /Look names 2 types: a.rs:1, b.rs:1/);
    assert.deepEqual(homonyms(both, { Look: "a reason" }, {}), []);
    assert.deepEqual(homonyms(both, {}, { Look: 2 }), []);
    assert.match(homonyms(both, {}, { Look: 3 })[0], /Look names 2 by now/);
    assert.match(homonyms(new Map(), { Look: "a reason" }, {})[0], /names no two types/);
  },
  "a fault without a test, one left out, and a number that is none"() {
    const [read] = project({ "t.rs": "#[test]\nfn f1_it_holds() {}\n#[test]\nfn f7_what() {}" });
    const held = "### F1 · One\n\n- Red: `t.rs` › `f1_it_holds`\n";
    assert.match(faults(held, read, ["t.rs"])[0], /t.rs has a test of F7, which is no fault/);
    assert.deepEqual(faults(`${held}\n### F2 · Two\n\n**No test**\n`, read, []), []);
    assert.match(faults(`${held}\n### F2 · Two\n`, read, [])[0], /F2 names no test/);
    assert.match(faults(`${held}\n### F3 · Three\n\n**No test**\n`, read, [])[0], /F2 is missing/);
    assert.match(faults(held.replace("it_holds", "it_held"), read, [])[0], /no such function/);
  },
  "tests that are not there, not run, or no tests"() {
    assert.equal(missing("#[tokio::test(flavor = 1)]\nasync fn a() {}", "t.rs", "a"), null);
    assert.match(missing("#[test]\n#[ignore]\nfn a() {}", "t.rs", "a"), /ignored/);
    assert.match(missing("fn a() {}", "t.rs", "a"), /attribute/);
    assert.match(missing("// #[test]\nfn a() {}", "t.rs", "a"), /attribute/);
    assert.match(missing("pub fn a() {}", "x/conformance.rs", "a"), /no suite/);
    assert.equal(missing('it("a b", () => {})', "t.test.ts", "a b"), null);
    assert.match(missing('it.skip("a b", () => {})', "t.test.ts", "a b"), /skipped/);
    assert.match(missing('expect("a b")', "t.test.ts", "a b"), /no test/);
    assert.match(missing(null, "t.rs", "a"), /no such file/);
    const failing = () => '{"format1":{"always":["b"],"sometimes":{}}}';
    const family = '{"scenarios":[{"id":"a"},{"id":"b"}]}';
    assert.equal(missing(family, "s.json", "a", failing), null);
    assert.match(missing(family, "s.json", "b", failing), /does not hold/);
    assert.match(missing(family, "s.json", "c", failing), /no such scenario/);
  },
  "a file that is not there, and a heading that nobody has written"() {
    const isThere = (path) => ["docs/A.md", "src/a.rs"].includes(path);
    const read = () => "## F1 · A *thing*, that (is)\n";
    const wrong = (content) => dangling("docs/A.md", content, isThere, read);
    assert.deepEqual(wrong("`src/a.rs` [a](A.md#f1--a-thing-that-is) [b](https://x.y/z)"), []);
    assert.match(wrong("`src/b.rs`")[0], /names src\/b.rs/);
    assert.match(wrong("[b](B.md)")[0], /links to docs\/B.md/);
    assert.match(wrong("[a](#another)")[0], /links to docs\/A.md#another/);
  },
  "a planted bug whose place has changed"() {
    const plant = { name: "n", file: "f", from: "a + 1", to: "a" };
    assert.deepEqual(
      uprooted([plant], () => "let b = a + 1;"),
      [],
    );
    assert.match(uprooted([plant], () => "let b = a + 2;")[0], /"n": its place stands 0 times in f/);
    assert.match(uprooted([plant], () => "a + 1, a + 1")[0], /2 times/);
    assert.match(uprooted([plant], () => null)[0], /0 times in f/);
  },
  "a folder in which no bug is planted"() {
    const sources = ["src/a/x.rs", "src/b/y.rs", "src/a/tests.rs", "src/c/tests/z.rs", "src/js/flat.rs"];
    assert.deepEqual(bare([{ file: "src/a/x.rs" }], sources), ["no bug is planted in src/b"]);
    assert.match(bare([{ file: "src/js/flat.rs" }], [])[0], /src\/js has one now/);
  },
  "a licence that asks for more than may be given"() {
    const known = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"];
    for (const good of ["MIT", "GPL-3.0 OR MIT", "MIT/GPL-3.0", "(GPL-3.0 OR MIT) AND Apache-2.0"]) {
      assert.equal(allowed(good, known), true, good);
    }
    for (const bad of [
      "GPL-3.0",
      "MIT AND GPL-3.0",
      "MIT AND (GPL-3.0 OR AGPL-3.0)",
      "SEE LICENSE IN x",
      "",
      "UNLICENSED",
    ]) {
      assert.equal(allowed(bad, known), false, bad);
    }
    assert.equal(allowed("Apache-2.0 WITH LLVM-exception OR GPL-3.0", known), true);
  },
  "a part that takes everything"() {
    const fields = (n) => Array.from({ length: n }, (_, i) => `a${i}: Vec<(u32, Option<String>)>`).join(", ");
    const impls = (n) => Array.from({ length: n }, (_, i) => [`src/${i}.rs`, "impl Part {\n    fn f(&self) {}\n}"]);
    const project = (n, files) => Object.fromEntries([["src/p.rs", `struct Part { ${fields(n)} }`], ...impls(files)]);
    const wrong = (files) => overgrown(rustParts(Object.keys(files), (file) => files[file]));
    assert.deepEqual(wrong(project(15, 3)), []);
    assert.match(wrong(project(16, 3))[0], /Part \(src\/p.rs\) has 16 fields/);
    assert.match(wrong(project(15, 4))[0], /methods in 4 files/);
    // What has no methods is data.
    assert.deepEqual(wrong(project(16, 0)), []);
    const body = Array.from({ length: 16 }, (_, i) => `  readonly #f${i}: number[] = [];`).join("\n");
    const code = `export class Part {\n${body}\n  constructor(a: number) {\n    this.#f0 = [a];\n  }\n  go(): void {}\n}\n`;
    assert.match(overgrown(classes(["js/p.ts"], () => code))[0], /has 16 fields/);
    assert.deepEqual(overgrown(classes(["js/p.ts"], () => code.replace("  readonly #f0", "  // #f0"))), []);
  },
  "Rust is read with its texts and characters left out"() {
    assert.equal(rustCode('let a = \'"\'; // "\nlet b: &\'a str = r#"x"y"#;'), "let a = ' '; \nlet b: &'a str = \"\";");
  },
};

let failed = 0;
for (const [name, check] of Object.entries(PLANTED)) {
  try {
    check();
  } catch (error) {
    failed += 1;
    console.error(`planted: ${name}: ${error.message}`);
  }
}
console.log(`planted: ${Object.keys(PLANTED).length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
