// `?debug`: what the engine is doing, for those who look for a fault in it.
import { type ReactNode, useEffect, useReducer, useRef, useState } from "react";
import { IS_ANDROID } from "slate-dom";
import type { Collab, Status } from "slate-yrs";
import { nameOf, usePeers, useStatus } from "slate-yrs/react";
import type { ScenePresence } from "../components/collaborative-screenplay-editor.tsx";
import { save } from "./files.ts";

interface Entry {
  /** Counted from 1: several things happen in one moment. */
  number: number;
  at: number;
  kind: "status" | "update" | "error";
  text: string;
}

const MOST_ENTRIES = 500;

export function DebugPanel({ collab }: { collab: Collab<ScenePresence> }): ReactNode {
  const status = useStatus(collab as unknown as Collab);
  const peers = usePeers(collab);
  const [logging, setLogging] = useState(true);
  const entries = useLog(collab, logging);
  const size = useSize(collab);
  const trace = () => {
    const about = {
      id: collab.id,
      clientId: collab.clientId,
      at: new Date().toISOString(),
      browser: navigator.userAgent,
      size,
    };
    const content = { ...about, status: plain(status), peers, log: entries };
    save(`trace-${collab.id}.json`, JSON.stringify(content, null, 2), "application/json");
  };
  return (
    <aside className="panel debug" aria-label="Developer tools">
      <header>
        <h2>Developer tools</h2>
        <button type="button" className="secondary small" onClick={trace}>
          Save a trace
        </button>
      </header>
      <dl>
        <Fact name="Document" value={collab.id} />
        <Fact name="Client id" value={collab.clientId} />
        <Fact name="Format" value={status.format ?? "not known yet"} />
        <Fact name="Input" value={IS_ANDROID ? "as Android gives it" : "as browsers give it"} />
        <Fact name="Connection" value={status.connection + (status.synced ? ", synced" : "")} />
        <Fact name="Newest edit is in" value={status.saved} />
        <Fact name="Outbox" value={`${status.pending} pending, ${status.setAside} set aside`} />
        <Fact name="Storage" value={status.storage} />
        <Fact name="Document size" value={`${(size / 1024).toFixed(1)} kB`} />
        <Fact
          name="Peers"
          value={peers.map((peer) => `${nameOf(peer.presence)} (${peer.clientId})`).join(", ") || "none"}
        />
        <Fact name="Last error" value={status.error ? `${status.error.code}: ${status.error.message}` : "none"} />
      </dl>
      <label className="check">
        <input type="checkbox" checked={logging} onChange={(event) => setLogging(event.target.checked)} /> Log updates
      </label>
      <ol className="log">
        {entries
          .slice(-120)
          .reverse()
          .map((entry) => (
            <li key={entry.number} data-kind={entry.kind}>
              <time>{(entry.at / 1000).toFixed(2)}</time> {entry.text}
            </li>
          ))}
      </ol>
    </aside>
  );
}

function Fact({ name, value }: { name: string; value: string | number }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function useLog(collab: Collab<ScenePresence>, updates: boolean): readonly Entry[] {
  const entries = useRef<Entry[]>([]);
  const [, render] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    let before = collab.status;
    const add = (kind: Entry["kind"], text: string) => {
      const number = (entries.current.at(-1)?.number ?? 0) + 1;
      entries.current = [...entries.current.slice(1 - MOST_ENTRIES), { number, at: performance.now(), kind, text }];
      render();
    };
    add("status", `opened: ${before.connection}`);
    const off = [
      collab.on("status", (status) => {
        const changes = changed(before, status);
        before = status;
        if (changes) add("status", changes);
      }),
      collab.on("error", (error) => add("error", `${error.code}: ${error.message}`)),
    ];
    if (updates) {
      off.push(collab.on("update", ({ update, origin }) => add("update", `${origin} update, ${update.length} bytes`)));
    }
    return () => {
      for (const each of off) each();
    };
  }, [collab, updates]);
  return entries.current;
}

/** Which fields of the status are others now. */
function changed(before: Status, after: Status): string {
  const names = (Object.keys(after) as (keyof Status)[]).filter(
    (name) => before[name] !== after[name] && name !== "error",
  );
  return names.map((name) => `${name}: ${JSON.stringify(after[name])}`).join(", ");
}

function useSize(collab: Collab<ScenePresence>): number {
  const [size, setSize] = useState(0);
  useEffect(() => {
    const measure = () => setSize(collab.encodeState().length);
    measure();
    const timer = setInterval(measure, 3000);
    return () => clearInterval(timer);
  }, [collab]);
  return size;
}

function plain(status: Status): unknown {
  return { ...status, error: status.error && { code: status.error.code, message: status.error.message } };
}
