// What `npm run bench:server -- --against COMMIT` prints: the server of that commit beside this one.
import { median, spread } from "./against.mjs";

/** What of a workload is compared: how it is called, its value, and whether more is better. */
const MEASURES = {
  room: [
    ["50 writers in a room, 250 edits/s: to the acknowledgement, p50, ms", (r) => r.ack.p50],
    ["the same: to a peer, p99, ms", (r) => r.peer.p99],
    ["the same: processor time of the server, s", (r) => r.processor],
  ],
  rooms: [
    ["1,000 rooms of two, 2,000 edits/s: to the acknowledgement, p50, ms", (r) => r.ack.p50],
    ["the same: processor time of the server, s", (r) => r.processor],
  ],
  readers: [["50 writers and 500 readers in a room: processor time of the server, s", (r) => r.processor]],
  presence: [["500 people move their carets: processor time of the server, s", (r) => r.processor]],
  storm: [
    ["1,500 open a document of 200 kB within a second: until each has it, p50, ms", (r) => r.join.p50],
    ["the same: processor time of the server, s", (r) => r.processor],
  ],
  flood: [
    ["as much as goes, 50 rooms: edits acknowledged a second", (r) => r.acknowledgedPerSecond, true],
    ["the same: edits for a second of processor time", (r) => r.delivered / r.processor, true],
  ],
  one: [["as much as goes, one room: edits acknowledged a second", (r) => r.acknowledgedPerSecond, true]],
  idle: [["memory for an idle connection, 1,000 in one room, bytes", (r) => r]],
  each: [["memory for a room with one idle connection, 1,000 rooms, bytes", (r) => r]],
  crowd: [["memory for an idle connection, 10,000 in 100 rooms, bytes", (r) => r]],
  joins: [
    ["join a document of 1 MB, median of 9, ms", (r) => r[0].join.p50],
    ["join a document of 10 MB, median of 9, ms", (r) => r[1].join.p50],
  ],
};

/** The workloads of which something is compared. */
export const COMPARED = Object.keys(MEASURES);

const shown = (value) => (value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3));
const percent = (value) => `${(value * 100).toFixed(0)} %`;

/**
 * A table. `runs`: of each database, and each workload, what came of each round before and now. What differs by less than
 * 5 %, or than the rounds do, counts as the same.
 */
export function serverComparison({ commit, rounds, seconds, runs }) {
  const lines = [
    `Medians of ${rounds} interleaved rounds of ${seconds} s, beside ${commit.slice(0, 12)}. Spread: half of the rounds lie within this part of their median.`,
    "",
    "| database | | before | now | spread before | spread now | now over before | |",
    "|---|---|--:|--:|--:|--:|--:|---|",
  ];
  for (const [database, workloads] of runs) {
    for (const [workload, { before, now }] of workloads) {
      for (const [title, value, isMoreBetter] of MEASURES[workload]) {
        const [was, is] = [before.map(value), now.map(value)];
        const spreads = [spread(was), spread(is)];
        const ratio = median(is) / median(was);
        const same = Math.abs(ratio - 1) <= Math.max(0.05, ...spreads);
        const verdict = same ? "the same" : ratio > 1 === Boolean(isMoreBetter) ? "better" : "worse";
        const cells = [database, title, shown(median(was)), shown(median(is)), ...spreads.map(percent)];
        lines.push(`| ${[...cells, `${ratio.toFixed(2)}×`, verdict].join(" | ")} |`);
      }
    }
  }
  return lines.join("\n");
}
