// What people say of some words, as the text of one note in a file: the words, who said what, and what was answered.
// `“kettle whistles” – Ada: Which kettle?`, an answer on a line of its own: `– Ben: The blue one.` Reading is the inverse
// of writing. Pure.

export interface Said {
  by: string;
  text: string;
}

const NOBODY = "Somebody";
const MOST_QUOTED = 80;

/** The words as a note names them: on one line, and of long ones the beginning and the end. */
export function quoted(words: string): string {
  const text = safe(words).replaceAll("”", '"').replaceAll(/\s+/g, " ").trim();
  const signs = Array.from(text);
  if (signs.length <= MOST_QUOTED) return text;
  const [begin, end] = [signs.slice(0, 45).join(""), signs.slice(-30).join("")];
  // Whole words, where there are some.
  return `${begin.replace(/(?<=\S)\s+\S*$/, "")} … ${end.replace(/^\S*\s+(?=\S)/, "")}`;
}

/** Without words, it is said of none. */
export function noteText(words: string, said: readonly Said[]): string {
  const quote = quoted(words);
  const lines = said.flatMap(({ by, text }) => {
    const body = safe(text).trim();
    return body === "" ? [] : [`${nameOf(by)}: ${body.replaceAll(/\s*\n\s*/g, "\n").replaceAll(/^– /gm, "– – ")}`];
  });
  if (lines.length === 0) return "";
  // Nor may a bracket at the end be taken for one of the note's own.
  return `${quote === "" ? "" : `“${quote}” `}– ${lines.join("\n– ")}`.replace(/\]$/, "] ");
}

/** `null`: it is a note of another kind. */
export function readNoteText(note: string): { quote: string; said: Said[] } | null {
  const [begin, quote = ""] = /^(?:“([^”]*)” )?– /.exec(note) ?? [];
  if (begin === undefined) return null;
  const said: Said[] = [];
  for (const [index, line] of note.slice(begin.length).split("\n").entries()) {
    const answer = /^– (?!– )/.test(line);
    if (index > 0 && !answer) {
      const last = said.at(-1) as Said;
      last.text += `\n${line.replace(/^– /, "").trim()}`;
      continue;
    }
    const [, by, text = ""] = /^([^:]+): (.*)$/.exec(answer && index > 0 ? line.slice(2) : line) ?? [];
    if (by === undefined) return null;
    said.push({ by, text: text.replace(/^– (?=– )/, "").trim() });
  }
  return { quote, said };
}

const nameOf = (by: string): string =>
  safe(by)
    .replaceAll(/[\s:]+/g, " ")
    .replace(/^– ?/, "")
    .trim() || NOBODY;

/** Without what would end the note, or begin one in it. */
function safe(text: string): string {
  return text.replaceAll(/\[(?=\[)|\](?=\])/g, "$& ").replaceAll(/\/(?=\*)|\*(?=\/)/g, "$& ");
}
