// What `npm run bench -- --against COMMIT` prints.

export const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** By how much the rounds' medians differ: half of them lie within this part of their median. */
export function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
  return at(0.5) > 0 ? (at(0.75) - at(0.25)) / at(0.5) : 0;
}

const ms = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(3));
const percent = (value) => `${(value * 100).toFixed(0)} %`;

/**
 * A table: for each work, size and format the medians before and now, how far the rounds of each lie apart, and what now is
 * of before. What differs by less than 5 %, or than the rounds do, counts as the same.
 */
export function comparison({ commit, rounds, samples, runs, pairs }) {
  const lines = [
    `Milliseconds, medians of ${rounds} interleaved rounds after one to warm up, beside ${commit.slice(0, 12)}. Spread: half of the rounds' medians lie within this part of their median.`,
    "",
    "| work | blocks | format | before | now | spread before | spread now | now over before | |",
    "|---|--:|--:|--:|--:|--:|--:|--:|---|",
  ];
  const works = new Set([...samples.keys()].map((key) => JSON.stringify(JSON.parse(key).slice(0, 2))));
  for (const work of works) {
    const [name, blocks] = JSON.parse(work);
    for (const [before, now, format] of pairs) {
      const of = (engine) => JSON.stringify([name, blocks, engine]);
      const [was, is] = [samples.get(of(before)), samples.get(of(now))];
      if (!was?.length || !is?.length) continue;
      const spreads = [spread(runs.get(of(before))), spread(runs.get(of(now)))];
      const ratio = median(was) > 0 ? median(is) / median(was) : 1;
      const same = Math.abs(ratio - 1) <= Math.max(0.05, ...spreads);
      const verdict = same ? "the same" : ratio < 1 ? "faster" : "slower";
      const cells = [
        name,
        blocks.toLocaleString("en"),
        format,
        ms(median(was)),
        ms(median(is)),
        ...spreads.map(percent),
      ];
      lines.push(`| ${[...cells, `${ratio.toFixed(2)}×`, verdict].join(" | ")} |`);
    }
  }
  return lines.join("\n");
}
