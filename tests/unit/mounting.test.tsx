// @vitest-environment jsdom
// A peer writes while the page is put together: in one go, in a transition, behind `lazy` and Suspense, in a root of its
// own. React works as in a page: nothing is flushed by `act`.
import {
  Component,
  lazy,
  type ReactNode,
  StrictMode,
  Suspense,
  startTransition,
  useEffect,
  useRef,
  useState,
} from "react";
import { createRoot, type Root } from "react-dom/client";
import { createEditor, type Descendant, Node } from "slate";
import { Editable, type RenderElementProps, Slate, withReact } from "slate-react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { useCollabEditor } from "../../js/react.js";
import { block, Fake } from "./fake.js";

const BLOCKS = 40;
const errors: unknown[] = [];
let root: Root | null = null;
let page: HTMLElement;

beforeEach(() => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = false;
  errors.length = 0;
  page = document.body.appendChild(document.createElement("main"));
  window.addEventListener("error", note);
});
afterEach(() => {
  window.removeEventListener("error", note);
  root?.unmount();
  page.remove();
});
const note = ({ error }: ErrorEvent) => void errors.push(error);

class Boundary extends Component<{ children: ReactNode }> {
  override state = { failed: false };
  static getDerivedStateFromError = () => ({ failed: true });
  override componentDidCatch(error: unknown) {
    errors.push(error);
  }
  override render() {
    return this.state.failed ? <p>white page</p> : this.props.children;
  }
}

/** Slow enough for React to pause a transition between two of them. */
function Line({ attributes, children }: RenderElementProps) {
  for (const end = performance.now() + 1; performance.now() < end; );
  return <p {...attributes}>{children}</p>;
}
const line = (props: RenderElementProps) => <Line {...props} />;

function Sheet({ editor }: { editor: NonNullable<ReturnType<typeof useCollabEditor>> }) {
  return (
    <Slate editor={editor as never} initialValue={editor.children}>
      <Editable renderElement={line} />
    </Slate>
  );
}

type Frame = (props: { children: ReactNode }) => ReactNode;

function Scene({ fake, frame: Inner }: { fake: Fake; frame: Frame }) {
  const editor = useCollabEditor(fake.collab, () => withReact(createEditor()));
  if (editor === null) return <p>…</p>;
  return (
    <Inner>
      <Sheet editor={editor as never} />
    </Inner>
  );
}

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

const InTransition: Frame = ({ children }) => {
  const [shown, setShown] = useState(false);
  useEffect(() => startTransition(() => setShown(true)), []);
  return shown ? children : null;
};
const Deferred = lazy(async () => {
  await pause(15);
  return { default: ({ children }: { children: ReactNode }) => children };
});
const BehindLazy: Frame = ({ children }) => (
  <Suspense fallback="…">
    <Deferred>{children}</Deferred>
  </Suspense>
);
let resource: (Promise<unknown> & { done?: boolean }) | null = null;
function Waiting() {
  resource ??= pause(15).then(() => {
    resource!.done = true;
  });
  if (!resource.done) throw resource;
  return null;
}
const BesideSuspense: Frame = ({ children }) => (
  <Suspense fallback="…">
    {children}
    <Waiting />
  </Suspense>
);
const OfItsOwn: Frame = ({ children }) => {
  const host = useRef<HTMLDivElement>(null);
  const inner = useRef<Root | null>(null);
  useEffect(() => {
    const shadow = host.current!.attachShadow({ mode: "open" });
    const root = createRoot(shadow.appendChild(document.createElement("div")), { onRecoverableError: () => {} });
    inner.current = root;
    return () => void setTimeout(() => root.unmount());
  }, []);
  useEffect(() => inner.current!.render(<Boundary>{children}</Boundary>));
  return <div ref={host} />;
};
/** It goes, and comes again in a transition, as a tab of the application. */
const GoingAndComing: Frame = ({ children }) => {
  const [shown, setShown] = useState(true);
  useEffect(() => {
    const goes = setTimeout(() => setShown(false), 20);
    const comes = setTimeout(() => startTransition(() => setShown(true)), 25);
    return () => {
      clearTimeout(goes);
      clearTimeout(comes);
    };
  }, []);
  return shown ? children : null;
};
const InOneGo: Frame = ({ children }) => children;
const Strict: Frame = ({ children }) => <StrictMode>{children}</StrictMode>;

function shownText(): string[] {
  const host = page.querySelector("div:not([data-slate-editor])");
  const within: ParentNode = host?.shadowRoot ?? page;
  return [...within.querySelectorAll("[data-slate-node=element]")].map((each) =>
    each.textContent!.replaceAll("\uFEFF", ""),
  );
}

/** How long a page may take to show what it should; where it does, nobody waits for it. */
const WAIT = 30_000;

const FRAMES: Record<string, Frame> = {
  "in one go": InOneGo,
  "in a transition": InTransition,
  "behind lazy": BehindLazy,
  "beside something that suspends": BesideSuspense,
  "in a root of its own": OfItsOwn,
  "and goes and comes again": GoingAndComing,
  "under StrictMode": Strict,
};

it.each(Object.entries(FRAMES))("a peer writes while the page comes %s", { timeout: 4 * WAIT }, async (_, frame) => {
  const quiet = vi.spyOn(console, "error").mockImplementation(() => {});
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  for (const every of [0, 1, 3, 8]) {
    resource = null;
    const value: Descendant[] = Array.from({ length: BLOCKS }, (_, n) => block(`line ${n}`));
    const fake = new Fake(value);
    // What React recovers from by rendering again is right in the end.
    root = createRoot(page, { onRecoverableError: () => {} });
    root.render(
      <Boundary>
        <Scene fake={fake} frame={frame} />
      </Boundary>,
    );
    let peers = 0;
    // The last edits come while all is there, or nearly: nothing else makes the page right afterwards.
    for (const end = performance.now() + 40 + 10 * every; performance.now() < end; ) {
      peers += 1;
      if (peers % 3 === 0) fake.receive([{ type: "remove_node", path: [1], node: fake.value()[1]! }]);
      else if (peers % 3 === 1) fake.receive([{ type: "insert_node", path: [1], node: block(`new ${peers}`) }]);
      else fake.receive([{ type: "insert_text", path: [0, 0], offset: 0, text: "x" }]);
      await pause(every);
    }
    // React shows what has suspended a third of a second after the last such thing.
    const texts = () => fake.value().map((node) => Node.string(node));
    for (const end = performance.now() + WAIT; performance.now() < end; await pause(20)) {
      if (errors.length > 0 || JSON.stringify(shownText()) === JSON.stringify(texts())) break;
    }
    expect(errors.map(String), `every ${every} ms`).toEqual([]);
    expect(shownText(), `every ${every} ms`).toEqual(texts());
    root.unmount();
    root = null;
    await pause(5);
  }
  expect(warn.mock.calls.map(([message]) => String(message))).toEqual([]);
  quiet.mockRestore();
  warn.mockRestore();
});
