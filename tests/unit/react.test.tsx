// @vitest-environment jsdom
import { act, cleanup, configure, render, screen, waitFor } from "@testing-library/react";
import { type ReactElement, StrictMode, useCallback } from "react";
import { renderToString } from "react-dom/server";
import { createEditor, type Editor, Node, Transforms } from "slate";
import { Editable, type RenderElementProps, type RenderLeafProps, Slate, withReact } from "slate-react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { OpenOptions } from "../../js/index.js";
import {
  type CursorDecoration,
  RemoteCursors,
  useCollab,
  useCollabEditor,
  useDecorateCursors,
  usePeers,
  useStatus,
} from "../../js/react.js";
import type { CollabEditor } from "../../js/slate.js";
import { block, Fake, ONLINE, peer } from "./fake.js";

// As long as a machine needs on which other tests run beside this one.
configure({ asyncUtilTimeout: 30_000 });

const opened: { options: OpenOptions; fake: Fake; closed: number }[] = [];
let refusal: Error | null = null;

vi.mock("../../js/index.js", () => ({
  open: vi.fn(async (options: OpenOptions) => {
    await Promise.resolve();
    if (refusal !== null) throw refusal;
    const entry = { options, fake: new Fake([block(`text of ${options.id}`)]), closed: 0 };
    Object.assign(entry.fake, {
      close: async () => {
        entry.closed++;
      },
      setPresence: (presence: unknown) => entry.fake.calls.push(`presence ${JSON.stringify(presence)}`),
    });
    opened.push(entry);
    return entry.fake.collab;
  }),
}));

const settle = () => act(() => new Promise((done) => setTimeout(done, 5)));

beforeEach(() => {
  opened.length = 0;
  refusal = null;
});
afterEach(cleanup);

function Page({ options }: { options: OpenOptions | null }): ReactElement {
  const { collab, error, retry } = useCollab(options);
  const editor = useCollabEditor(collab, () => withReact(createEditor()));
  const status = useStatus(collab);
  const peers = usePeers(collab);
  return (
    <>
      <p data-testid="page">
        {error?.message ?? (editor === null ? "nothing" : Node.string(editor))} {status.connection} {peers.length}
      </p>
      {error === null ? null : <button onClick={retry} type="button" />}
    </>
  );
}
const page = () => screen.getByTestId("page").textContent;

describe("useCollab", () => {
  it("opens, follows, and closes on unmount", async () => {
    const view = render(<Page options={{ id: "one" }} />);
    expect(page()).toBe("nothing offline 0");
    await settle();
    expect(page()).toBe("text of one online 0");
    const { fake } = opened[0]!;
    act(() => {
      fake.peers = [peer(7)];
      fake.emit("peers", fake.peers);
      fake.status = { ...ONLINE, connection: "connecting" };
      fake.emit("status", fake.status);
    });
    expect(page()).toBe("text of one connecting 1");
    view.unmount();
    await settle();
    expect(opened.map(({ closed }) => closed)).toEqual([1]);
    expect(fake.listeners()).toBe(0);
  });

  it("f32: opens once under StrictMode, and closes what it opened", async () => {
    const view = render(
      <StrictMode>
        <Page options={{ id: "one" }} />
      </StrictMode>,
    );
    await settle();
    expect(page()).toBe("text of one online 0");
    expect(opened).toHaveLength(1);
    view.unmount();
    await settle();
    expect(opened[0]?.closed).toBe(1);
    expect(opened[0]?.fake.listeners()).toBe(0);
  });

  it("f32: closes a document that is ready only after the unmount", async () => {
    const view = render(<Page options={{ id: "one" }} />);
    view.unmount();
    await settle();
    expect(opened.map(({ closed }) => closed)).toEqual([1]);
  });

  it("f5: changes documents with the id, and never shows one under the other's name", async () => {
    const view = render(<Page options={{ id: "one" }} />);
    await settle();
    for (let round = 0; round < 20; round++) {
      const id = round % 2 ? "one" : "two";
      view.rerender(<Page options={{ id }} />);
      expect(page()).toBe("nothing offline 0");
      if (round % 3 === 0) await settle();
      expect(page()).not.toContain(`text of ${round % 2 ? "two" : "one"}`);
    }
    await settle();
    expect(page()).toBe("text of one online 0");
    view.unmount();
    await settle();
    expect(opened.every(({ closed }) => closed === 1)).toBe(true);
  });

  it("waits for options, and closes when they go", async () => {
    const view = render(<Page options={null} />);
    await settle();
    expect(opened).toHaveLength(0);
    view.rerender(<Page options={{ id: "one" }} />);
    await settle();
    view.rerender(<Page options={null} />);
    await settle();
    expect(page()).toBe("nothing offline 0");
    expect(opened[0]?.closed).toBe(1);
  });

  it("does not open again for a new token or presence", async () => {
    const view = render(<Page options={{ id: "one", token: "first", presence: { name: "Ada" } }} />);
    await settle();
    view.rerender(<Page options={{ id: "one", token: () => "second", presence: { name: "Ada" } }} />);
    view.rerender(<Page options={{ id: "one", token: () => "third", presence: { name: "Grace" } }} />);
    await settle();
    expect(opened).toHaveLength(1);
    const { options, fake } = opened[0]!;
    expect(await (options.token as () => Promise<string>)()).toBe("third");
    expect(fake.calls).toEqual(['presence {"name":"Grace"}']);
  });

  it("asks for a token that comes only after the opening", async () => {
    const view = render(<Page options={{ id: "one" }} />);
    await settle();
    const ask = opened[0]!.options.token as () => unknown;
    expect(await ask()).toBeUndefined();
    view.rerender(<Page options={{ id: "one", token: "late" }} />);
    expect(await ask()).toBe("late");
    expect(opened).toHaveLength(1);
  });

  it("shows the presence that became another while the document was being opened", async () => {
    const view = render(<Page options={{ id: "one", presence: { name: "Ada" } }} />);
    await Promise.resolve();
    view.rerender(<Page options={{ id: "one", presence: { name: "Grace" } }} />);
    await settle();
    expect(opened[0]?.options.presence).toEqual({ name: "Ada" });
    expect(opened[0]?.fake.calls).toEqual(['presence {"name":"Grace"}']);
  });

  it("reports why it could not open, and tries again when asked", async () => {
    refusal = new Error("no such root");
    const view = render(<Page options={{ id: "one" }} />);
    await settle();
    expect(page()).toBe("no such root offline 0");
    refusal = null;
    act(() => screen.getByRole("button").click());
    expect(page()).toBe("nothing offline 0");
    await settle();
    expect(page()).toBe("text of one online 0");
    view.unmount();
    await settle();
    expect(opened.map(({ closed }) => closed)).toEqual([1]);
  });

  it("does nothing on a server", () => {
    expect(renderToString(<Page options={{ id: "one" }} />)).toContain("nothing");
    expect(opened).toHaveLength(0);
  });
});

/** A bound editor on the page, with counted renders of each block. */
function Bound({ fake, seen, made }: { fake: Fake; seen: Map<string, number>; made?: Editor[] }): ReactElement | null {
  const editor = useCollabEditor(fake.collab, () => {
    const fresh = withReact(createEditor());
    made?.push(fresh);
    return fresh;
  });
  return editor === null ? null : <Writing editor={editor} seen={seen} />;
}

function Writing({ editor, seen }: { editor: Editor & CollabEditor; seen: Map<string, number> }): ReactElement {
  const decorate = useDecorateCursors(editor);
  const renderElement = useCallback(
    ({ attributes, children, element }: RenderElementProps) => {
      const text = Node.string(element);
      seen.set(text, (seen.get(text) ?? 0) + 1);
      return <p {...attributes}>{children}</p>;
    },
    [seen],
  );
  return (
    <Slate editor={editor as never} initialValue={editor.children}>
      <RemoteCursors editor={editor}>
        <Editable decorate={decorate} renderElement={renderElement} renderLeaf={renderLeaf} />
      </RemoteCursors>
    </Slate>
  );
}

function renderLeaf({ attributes, children, leaf }: RenderLeafProps): ReactElement {
  const { remoteCursor, remoteCaret } = leaf as Partial<CursorDecoration>;
  return (
    <span {...attributes} data-remote={remoteCursor?.name} data-caret={remoteCaret}>
      {children}
    </span>
  );
}

const at = (block: number, offset: number) => ({ path: [block, 0], offset });

describe("remote cursors", () => {
  const three = () => new Fake([block("one"), block("two"), block("three")]);

  it("render only the blocks concerned again", async () => {
    const fake = three();
    const seen = new Map<string, number>();
    const view = render(<Bound fake={fake} seen={seen} />);
    await settle();
    const move = (block: number, offset: number) =>
      act(() => {
        fake.peers = [peer(7, { anchor: at(block, 0), focus: at(block, offset) })];
        fake.emit("peers", fake.peers);
      });
    await move(0, 2);
    expect(view.container.querySelector("[data-remote]")?.textContent).toBe("on");
    seen.clear();
    await move(0, 1);
    expect([...seen.keys()]).not.toContain("two");
    expect([...seen.keys()]).not.toContain("three");
    expect(view.container.querySelector("[data-remote]")?.textContent).toBe("o");
    await move(2, 2);
    expect(seen.has("two")).toBe(false);
    expect(view.container.querySelectorAll("[data-caret]")).toHaveLength(1);
    view.unmount();
  });

  it("do not render the editor for what does not move", async () => {
    const fake = three();
    const seen = new Map<string, number>();
    render(<Bound fake={fake} seen={seen} />);
    await settle();
    const one = peer(7, { anchor: at(0, 0), focus: at(0, 2) });
    await act(() => {
      fake.peers = [one];
      fake.emit("peers", fake.peers);
    });
    seen.clear();
    await act(() => {
      fake.peers = [{ ...one, typing: true, lastActive: 5 }, peer(9)];
      fake.emit("peers", fake.peers);
    });
    expect([...seen]).toEqual([]);
  });

  it("leave the rest of the page alone when somebody types", async () => {
    const fake = three();
    const seen = new Map<string, number>();
    const view = render(<Bound fake={fake} seen={seen} />);
    await settle();
    seen.clear();
    await act(async () => {
      fake.receive([{ type: "insert_text", path: [1, 0], offset: 3, text: "!" }]);
      fake.peers = [{ ...peer(7, { anchor: at(1, 4), focus: at(1, 4) }), typing: true, lastActive: Date.now() }];
      fake.emit("peers", fake.peers);
    });
    expect(view.container.textContent).toContain("two!");
    expect([...seen.keys()]).toEqual(["two!"]);
  });

  it("never throw on a place that is gone", async () => {
    const fake = three();
    const view = render(<Bound fake={fake} seen={new Map()} />);
    await settle();
    for (const range of [
      { anchor: at(9, 0), focus: at(9, 4) },
      { anchor: at(0, 0), focus: at(0, 400) },
      { anchor: { path: [0], offset: 0 }, focus: { path: [0, 0, 0], offset: 1 } },
      { anchor: at(0, 0), focus: at(2, 1) },
    ]) {
      await act(async () => {
        fake.peers = [peer(7, range)];
        fake.emit("peers", fake.peers);
        await new Promise((done) => setTimeout(done, 40));
      });
    }
    await act(() => fake.receive([{ type: "remove_node", path: [2], node: block("three") }]));
    await settle();
    expect(view.container.textContent).toContain("onetwo");
  });

  it("draw a caret with a name for an active peer", async () => {
    const rect = { left: 10, top: 50, width: 0, height: 18, right: 10, bottom: 68 } as DOMRect;
    Range.prototype.getClientRects = () => [rect] as unknown as DOMRectList;
    const fake = three();
    const view = render(<Bound fake={fake} seen={new Map()} />);
    await settle();
    await act(async () => {
      fake.peers = [{ ...peer(7, { anchor: at(0, 1), focus: at(0, 1) }), lastActive: Date.now() }];
      fake.emit("peers", fake.peers);
    });
    await waitFor(() => expect(view.container.querySelector(".slate-yrs-caret")).not.toBeNull());
    const caret = view.container.querySelector<HTMLElement>(".slate-yrs-caret");
    expect([caret?.style.left, caret?.style.top, caret?.style.height]).toEqual(["10px", "50px", "18px"]);
    expect(caret?.textContent).toBe("Peer 7");
    // The name goes after three seconds, the caret fades after a minute: by themselves.
    const since = (ms: number) =>
      act(() => {
        fake.peers = [{ ...peer(7, { anchor: at(0, 1), focus: at(0, 1) }), lastActive: Date.now() - ms }];
        fake.emit("peers", fake.peers);
      });
    await since(2_900);
    await waitFor(() => expect(view.container.querySelector(".slate-yrs-flag")).toBeNull());
    await since(59_900);
    await waitFor(() => expect(view.container.querySelector("[data-idle]")).not.toBeNull());
    // The part of the page goes off screen, and the browser no longer lays it out; then it comes back.
    const carets = (count: number) =>
      waitFor(() => expect(view.container.querySelectorAll(".slate-yrs-caret")).toHaveLength(count));
    for (const visible of [false, true]) {
      Object.assign(Element.prototype, { checkVisibility: () => visible });
      const part = view.container.querySelector("[data-slate-editor] > *");
      part?.dispatchEvent(new Event("contentvisibilityautostatechange"));
      await carets(visible ? 1 : 0);
    }
    Reflect.deleteProperty(Element.prototype, "checkVisibility");
    await act(async () => {
      fake.peers = [];
      fake.emit("peers", fake.peers);
    });
    await carets(0);
    Reflect.deleteProperty(Range.prototype, "getClientRects");
  });
});

describe("an editor on the page", () => {
  it("shows local and remote edits, under StrictMode", async () => {
    const fake = new Fake([block("one")]);
    const made: Editor[] = [];
    const view = render(
      <StrictMode>
        <Bound fake={fake} made={made} seen={new Map()} />
      </StrictMode>,
    );
    await settle();
    await act(async () => Transforms.insertText(made.at(-1)!, "!", { at: at(0, 3) }));
    await act(async () => fake.receive([{ type: "insert_text", path: [0, 0], offset: 0, text: "no " }]));
    expect(view.container.textContent).toBe("no one!");
    expect(fake.edits).toHaveLength(1);
    view.unmount();
    expect(fake.listeners()).toBe(0);
  });
});

describe("a part of what is known", () => {
  it("renders again only when that part is another one", async () => {
    const fake = new Fake([block("a")]);
    const renders: string[] = [];
    function Part() {
      const pending = useStatus(fake.collab, (status) => status.pending);
      const { saved, connection } = useStatus(fake.collab, ({ saved, connection }) => ({ saved, connection }));
      const names = usePeers(fake.collab, (peers) => peers.map(({ presence }) => presence.name));
      renders.push(`${pending} ${saved} ${connection} ${names}`);
      return null;
    }
    render(<Part />);
    const become = (status: Partial<typeof ONLINE>) =>
      act(async () => {
        fake.status = { ...fake.status, ...status };
        fake.emit("status", fake.status);
      });
    const meet = (peers: ReturnType<typeof peer>[]) =>
      act(async () => {
        fake.peers = peers;
        fake.emit("peers", fake.peers);
      });
    await become({ divergences: 1 });
    await become({ pending: 2 });
    await become({ saved: "local" });
    await meet([peer(7)]);
    // They move: not what is asked for.
    await meet([peer(7, { anchor: at(0, 0), focus: at(0, 1) })]);
    await meet([]);
    expect(renders).toEqual([
      "0 server online ",
      "2 server online ",
      "2 local online ",
      "2 local online Peer 7",
      "2 local online ",
    ]);
  });

  it("follows another selector at once", async () => {
    const fake = new Fake([block("a")]);
    const seen: unknown[] = [];
    function Part({ of }: { of: "saved" | "pending" }) {
      seen.push(useStatus(fake.collab, (status) => status[of]));
      return null;
    }
    const view = render(<Part of="saved" />);
    view.rerender(<Part of="pending" />);
    expect(seen).toEqual(["server", 0]);
  });
});
