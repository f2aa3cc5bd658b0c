// Every expectation made wrong (a letter or block more): nothing may pass. Writes wrong/X.json.
import fs from "node:fs";

fs.mkdirSync("wrong", { recursive: true });
const spoil = (x) => {
  if (x.letters !== undefined) x.letters += "§";
  for (const k of ["value"]) if (x[k]) x[k] = [...x[k], { type: "p", children: [{ text: "§" }] }];
  if (x.oneOf) x.oneOf = x.oneOf.map((v) => [...v, { type: "p", children: [{ text: "§" }] }]);
  x.has = [...(x.has ?? []), "§"];
};
for (const f of ["flat", "shells", "lists", "tables", "blocks", "marks", "undo"]) {
  const j = JSON.parse(fs.readFileSync(`../scenarios/${f}.json`));
  for (const s of j.scenarios) {
    s.expect ??= {};
    spoil(s.expect);
  }
  fs.writeFileSync(`wrong/${f}.json`, JSON.stringify(j));
}
