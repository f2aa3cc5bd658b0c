// Random numbers that a seed repeats.
/** `rnd(n)`: 0 to n - 1; `pick(list)`; `seed()`: what repeats all that follows. */
export function chance(seed) {
  let s = +seed | 0;
  const rnd = (n) => {
    s = (s + 0x6d2b79f5) | 0;
    let t = Math.imul(s ^ (s >>> 15), 1 | s);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * n);
  };
  return { rnd, pick: (list) => list[rnd(list.length)], seed: () => s };
}
