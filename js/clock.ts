// A clock for tests: time stands still until a test moves it.

/** What {@link fakeClock} gives. */
export interface FakeClock {
  /** In ms since the epoch. */
  readonly now: number;
  /** Lets so many ms pass: timers that are due run in their order, and what they set off comes to rest in between. */
  advance(ms: number): Promise<void>;
  /** Puts the page's own clock and timers back. */
  restore(): void;
}

interface Timer {
  due: number;
  /** `null`: once. */
  every: number | null;
  run: () => void;
}

/**
 * Takes the place of `Date`, `setTimeout` and `setInterval`, for documents and for the code that is tested: pauses after
 * which an undo step ends, a peer counts as away, or a connection is tried again, pass without waiting.
 *
 * @param start What time it is. Default: now.
 * @throws Error if another fake clock has not been put back.
 * @example
 * const clock = fakeClock();
 * Transforms.insertText(editor, "one", { at: [0, 0] });
 * await clock.advance(10_000);
 * Transforms.insertText(editor, "two", { at: [0, 0] });
 * await clock.advance(0);
 * collab.undo();                // only "two"
 * clock.restore();
 */
export function fakeClock(start = Date.now()): FakeClock {
  if (standing) throw new Error("there is a fake clock already: restore() it first");
  standing = true;
  const { Date: RealDate, setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;
  const real = { Date: RealDate, setTimeout, clearTimeout, setInterval, clearInterval };
  let now = start;
  let last = 0;
  const timers = new Map<number, Timer>();
  const rest = () => new Promise<void>((wake) => setTimeout(wake));

  class FakeDate extends RealDate {
    constructor(...given: [] | [number]) {
      if (given.length === 0) super(now);
      else super(...given);
    }
    static override now = (): number => now;
  }
  const add = (run: unknown, ms: unknown, repeats: boolean, given: unknown[]) => {
    last += 1;
    const wait = Math.max(0, Number(ms) || 0);
    const call = () => (run as (...given: unknown[]) => void)(...given);
    timers.set(last, { due: now + wait, every: repeats ? Math.max(1, wait) : null, run: call });
    return asTimer(last, timers);
  };
  const remove = (timer: unknown) => void timers.delete(Number(timer));
  const next = (until: number): [number, Timer] | undefined => {
    let first: [number, Timer] | undefined;
    for (const entry of timers)
      if (entry[1].due <= until && (first === undefined || entry[1].due < first[1].due)) first = entry;
    return first;
  };
  Object.assign(globalThis, {
    Date: FakeDate,
    setTimeout: (run: unknown, ms?: unknown, ...given: unknown[]) => add(run, ms, false, given),
    setInterval: (run: unknown, ms?: unknown, ...given: unknown[]) => add(run, ms, true, given),
    clearTimeout: remove,
    clearInterval: remove,
  });

  return {
    get now() {
      return now;
    },
    advance: async (ms) => {
      const until = now + ms;
      await rest();
      for (let due = next(until); due !== undefined; due = next(until)) {
        const [id, timer] = due;
        now = Math.max(now, timer.due);
        if (timer.every === null) timers.delete(id);
        else timer.due += timer.every;
        timer.run();
        await rest();
      }
      now = until;
    },
    restore: () => {
      if (globalThis.Date !== (FakeDate as unknown)) return;
      Object.assign(globalThis, real);
      standing = false;
    },
  };
}

let standing = false;

/** In Node a timer is an object, which one may ask not to keep the process alive; as a number it is its id. */
function asTimer(id: number, timers: ReadonlyMap<number, Timer>): unknown {
  if (!("process" in globalThis)) return id;
  const timer = { ref: () => timer, unref: () => timer, hasRef: () => timers.has(id), [Symbol.toPrimitive]: () => id };
  return timer;
}
