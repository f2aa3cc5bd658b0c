// A function that makes a database as version 1 of the schema had it, checksums included.
async () => {
  const sum = (document, session, seq, update) => {
    let state = 0x9e3779b9;
    const mix = (word) => {
      state = Math.imul(state ^ word, 0x85ebca6b) >>> 0;
      state = (state ^ (state >>> 15)) >>> 0;
    };
    const counter = new Uint8Array(8);
    new DataView(counter.buffer).setBigUint64(0, BigInt(seq), true);
    const text = (string) => new TextEncoder().encode(string);
    for (const part of [text(document), text(session), counter, update]) {
      mix(part.length);
      const whole = part.length - (part.length % 4);
      for (let at = 0; at < whole; at += 4) mix(new DataView(part.buffer, part.byteOffset).getUint32(at, true));
      for (let at = whole; at < part.length; at += 1) mix(part[at]);
    }
    return state;
  };
  const database = await new Promise((resolve, reject) => {
    const opening = indexedDB.open("first", 1);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => resolve(opening.result);
    opening.onupgradeneeded = () => {
      const { result } = opening;
      result.createObjectStore("documents", { keyPath: "document" });
      const log = result.createObjectStore("log", { keyPath: "row", autoIncrement: true });
      log.createIndex("document", ["document", "row"]);
      result.createObjectStore("outbox", { keyPath: ["document", "session", "seq"] });
      result.createObjectStore("set_aside", { keyPath: ["document", "session", "seq"] });
    };
  });
  const transaction = database.transaction(["documents", "log", "outbox"], "readwrite");
  const update = new Uint8Array([1, 2, 3]);
  transaction.objectStore("documents").put({ document: "scene", epoch: "one" });
  transaction.objectStore("log").add({ document: "scene", update, sum: sum("scene", "", 0, update) });
  const pending = { document: "scene", session: "s", seq: 1, update, sum: sum("scene", "s", 1, update) };
  transaction.objectStore("outbox").put(pending);
  await new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
  database.close();
};
