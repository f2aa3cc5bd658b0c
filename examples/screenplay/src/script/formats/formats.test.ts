// @vitest-environment jsdom
import { describe, expect, it } from "vitest";
import { generateScript } from "../generator.ts";
import {
  BLOCK_TYPES,
  type Block,
  type BlockType,
  blocksOf,
  type FormattedText,
  isDual,
  type Script,
  type ScriptNode,
  textOf,
} from "../types.ts";
import { readEmphasis, writeEmphasis } from "./emphasis.ts";
import { FormatError, fromFdx, toFdx } from "./fdx.ts";
import { fromFountain, toFountain } from "./fountain.ts";

let ids = 0;
const newId = () => `f${++ids}`;
const block = (type: BlockType, ...children: (string | FormattedText)[]): Block => ({
  id: newId(),
  type,
  children: children.map((child) => (typeof child === "string" ? { text: child } : child)),
});

/** The script without its ids. */
const bare = (nodes: readonly ScriptNode[]): unknown[] =>
  nodes.map((node) =>
    isDual(node)
      ? { type: node.type, children: node.children.map(({ type, children }) => ({ type, children: bare(children) })) }
      : { type: node.type, children: node.children },
  );

const ALL: Script = BLOCK_TYPES.map((type) =>
  // What was cut has no marks.
  type === "boneyard"
    ? block(type, `Text of & ${type}`)
    : block(type, `Text of & ${type}`, { text: "stressed", bold: true, underline: true }),
);

describe("Fountain", () => {
  it("is read", () => {
    const { title, script } = fromFountain(
      "Title: The *Thing*\nAuthor: Somebody\n\nFADE IN:\n\nINT. KITCHEN - DAY\n\nShe *waits*.\nStill.\n\nMARA (O.S.)\n(quietly)\nToo late.\n\n" +
        "KIT\nLeft.\n\nJUNO ^\nRight.\n\n> SMASH CUT TO:\n\n# ACT TWO\n\n= What happens.\n\n.SOMEWHERE\n\n!CAPS\n\n> END OF ACT TWO <\n",
      newId,
    );
    expect(title).toBe("The Thing");
    expect(script.map((node) => (isDual(node) ? bare([node])[0] : `${node.type}: ${textOf(node)}`))).toEqual([
      "transition: FADE IN:",
      "scene_heading: INT. KITCHEN - DAY",
      "action: She waits.\nStill.",
      "character: MARA (O.S.)",
      "parenthetical: quietly",
      "dialogue: Too late.",
      {
        type: "dualDialogueBlock",
        children: [
          { type: "column", children: bare([block("character", "KIT"), block("dialogue", "Left.")]) },
          { type: "column", children: bare([block("character", "JUNO"), block("dialogue", "Right.")]) },
        ],
      },
      "transition: SMASH CUT TO:",
      "section: ACT TWO",
      "summary: What happens.",
      "scene_heading: SOMEWHERE",
      "action: CAPS",
      "end_of_act: END OF ACT TWO",
    ]);
    expect((script[2] as Block).children[1]).toEqual({ text: "waits", italic: true });
  });

  it.each([1, 2, 3])("a generated script survives writing and reading (seed %i)", (seed) => {
    const script = generateScript({ seed, scenes: 30 });
    expect(bare(fromFountain(toFountain(script, "T"), newId).script)).toEqual(bare(script));
  });

  it("keeps text that looks like markup", () => {
    const script = [
      block("action", "2 * 3 * 4 and snake_case_name \\ done"),
      block("action", "# not an act"),
      block("action", "INT. is how headings begin"),
      block("scene_heading", "THE VOID"),
      block("character", "SEÑOR VEGA"),
      block("dialogue", "One.\n\nTwo."),
    ];
    const texts = fromFountain(toFountain(script), newId).script.map(
      (node) => `${node.type}: ${isDual(node) ? "" : textOf(node).replace(/\n\s*\n/, "\n\n")}`,
    );
    expect(texts).toEqual(script.map((node) => `${node.type}: ${textOf(node)}`));
  });

  it("keeps the title page, scene numbers, notes and what was cut", () => {
    const source = [
      "Title: The Thing\nCredit: written by\nAuthor: X & Y\nDraft date: 1 May\nContact:\n    Line one\n    Line two\n",
      "INT. HALL - DAY #12A#\n",
      "He says [[not so loud]] so.\n",
      "[[Two\nlines]]\n",
      "[[single]]\n",
      "/*\nINT. CUT - DAY\n\nNobody *ever* saw this.\n*/\n",
      "After.\n",
    ].join("\n");
    const { title, script } = fromFountain(source, newId);
    expect(title).toBe("The Thing");
    expect(script.map((node) => `${node.type}: ${isDual(node) ? "" : textOf(node)}`)).toEqual([
      "scene_heading: INT. HALL - DAY",
      "action: He says [[not so loud]] so.",
      "note: Two\nlines",
      "note: single",
      "boneyard: INT. CUT - DAY\n\nNobody *ever* saw this.",
      "action: After.",
    ]);
    expect(toFountain(script, "The Thing")).toBe(source);
    expect(fromFountain("One /* and not */ two.", newId).script.map((node) => textOf(node as Block))).toEqual([
      "One /* and not */ two.",
    ]);
  });

  it("keeps all types and marks", () => {
    expect(bare(fromFountain(toFountain(ALL), newId).script)).toEqual(bare(ALL));
  });

  it("writes what it has no sign for as action that says what it is, and other programs read as such", () => {
    expect(toFountain([block("cast_list", "Ole"), block("dialogue", "Alone."), block("shot", "his eyes")])).toBe(
      "Ole [[element: cast_list]]\n\nAlone. [[element: dialogue]]\n\nhis eyes [[element: shot]]\n",
    );
  });

  it("writes letters as they were typed", () => {
    const script = [block("scene_heading", "int. Hall"), block("character", "Mara"), block("transition", "cut to:")];
    expect(toFountain(script)).toBe("int. Hall\n\n@Mara\n\n> cut to:\n");
  });

  it("reads the title page and the notes that earlier versions kept, and writes them as they did", () => {
    const old = block("general", "[[a note]]");
    old.titlePage = { credit: "by", draft_date: "1 May" };
    expect(toFountain([old, block("action", "He [[waits]].")], "T")).toBe(
      "Title: T\nCredit: by\nDraft date: 1 May\n\n[[a note]]\n\nHe [[waits]].\n",
    );
  });

  it("keeps all of a title page that has empty lines", () => {
    const first = block("action", "He waits.");
    first.titlePage = [
      ["Title", "One\n\nTwo"],
      ["Contact", ""],
    ];
    expect(toFountain([first])).toBe("Title:\n    One\n    Two\nContact:\n\nHe waits.\n");
  });

  it("keeps the words of dual dialogue that is no two speeches", () => {
    const column = (id: string, children: Block[]) => ({ id, type: "column" as const, children });
    const odd: Script = [
      {
        id: "d",
        type: "dualDialogueBlock",
        children: [
          column("l", [
            block("character", "A"),
            block("dialogue", "One."),
            block("character", "B"),
            block("dialogue", "Two."),
          ]),
          column("r", [block("action", "Three.")]),
        ],
      },
    ];
    expect(toFountain(odd)).toBe("A\nOne.\n\nB\nTwo.\n\nThree.\n");
    const again = fromFdx(toFdx(odd), newId).script;
    expect([...blocksOf(again)].map(textOf)).toEqual(["A", "One.", "B", "Two.", "Three."]);
  });

  it("writes the title that the script has now", () => {
    const { script } = fromFountain("Author: A\nTitle: _Old_\n\nHe waits.\n", newId);
    expect(toFountain(script, "Old")).toBe("Author: A\nTitle: _Old_\n\nHe waits.\n");
    expect(toFountain(script, "New")).toBe("Author: A\nTitle: New\n\nHe waits.\n");
  });
});

describe("emphasis", () => {
  it.each<[string, FormattedText[]]>([
    ["plain", [{ text: "plain" }]],
    ["a *b* c", [{ text: "a " }, { text: "b", italic: true }, { text: " c" }]],
    ["**b**", [{ text: "b", bold: true }]],
    ["***b***", [{ text: "b", bold: true, italic: true }]],
    ["_**b**_", [{ text: "b", bold: true, underline: true }]],
    ["2 * 3 * 4", [{ text: "2 * 3 * 4" }]],
    ["*open", [{ text: "*open" }]],
    ["\\*not\\*", [{ text: "*not*" }]],
    [
      "**a *b***",
      [
        { text: "a ", bold: true },
        { text: "b", bold: true, italic: true },
      ],
    ],
  ])("%s", (source, leaves) => {
    expect(readEmphasis(source)).toEqual(leaves);
    expect(readEmphasis(writeEmphasis(leaves))).toEqual(leaves);
  });
});

describe("FDX", () => {
  it("keeps all types, marks and dual dialogue", () => {
    const script = [...ALL, ...generateScript({ seed: 3, scenes: 12 })];
    expect(bare(fromFdx(toFdx(script), newId).script)).toEqual(bare(script));
  });

  it("keeps scene numbers and the words of the title page", () => {
    const { script } = fromFountain(
      "Title: T\nCredit: written by\nAuthor: A\nContact: C\n\nINT. HALL - DAY #7#\n\nHe waits.\n",
      newId,
    );
    const fdx = toFdx(script, 'The "T"');
    expect(fdx).toContain('<Paragraph Number="7" Type="Scene Heading">');
    const read = fromFdx(fdx, newId);
    expect(read.title).toBe('The "T"');
    expect(read.script[0]).toMatchObject({
      sceneNumber: "7",
      titlePage: [
        ["Title", 'The "T"'],
        ["Credit", "written by"],
        ["Author", "A"],
        ["Contact", "C"],
      ],
    });
  });

  it("reads what Final Draft writes", () => {
    const { script } = fromFdx(
      `<?xml version="1.0" encoding="UTF-8" standalone="no" ?>
      <FinalDraft DocumentType="Script" Template="No" Version="5"><Content>
        <Paragraph Number="1" Type="Scene Heading"><SceneProperties Length="1/8" Page="1" Title=""/><Text>INT. HALL - DAY</Text></Paragraph>
        <Paragraph Type="Action"><Text>One </Text><Text AdornmentStyle="0" Style="Bold+Underline">two</Text><Text> three</Text></Paragraph>
        <Paragraph Type="Parenthetical"><Text>(softly)</Text></Paragraph>
        <Paragraph Type="Something Own"><Text>kept</Text></Paragraph>
      </Content><TitlePage><Content><Paragraph><Text>Not the script</Text></Paragraph></Content></TitlePage></FinalDraft>`,
      newId,
    );
    expect(bare(script)).toEqual(
      bare([
        block("scene_heading", "INT. HALL - DAY"),
        block("action", "One ", { text: "two", bold: true, underline: true }, " three"),
        block("parenthetical", "softly"),
        block("general", "kept"),
      ]),
    );
  });

  it.each(["", "not xml", "<html></html>", "<FinalDraft>"])("refuses %j", (source) => {
    expect(() => fromFdx(source, newId)).toThrow(FormatError);
  });
});
