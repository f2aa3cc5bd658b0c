// The chart of docs/BENCHMARKS.md: how many times faster, one bar a workload, logarithmic.

const ROW = 26;
const LEFT = 300;
const WIDTH = 860;

/** An SVG of the ratio slate-yjs / slate-yrs on the whole work, of the rows of a feature-length document. */
export function chart(rows) {
  const shown = rows.filter(({ blocks, slateYjs, slateYrs }) => blocks > 2000 && blocks < 5000 && slateYjs && slateYrs);
  const ratios = shown.map(({ name, slateYjs, slateYrs }) => ({ name, ratio: slateYjs / slateYrs }));
  const top = Math.max(10, ...ratios.map(({ ratio }) => ratio));
  const decades = Math.ceil(Math.log10(top));
  const scale = (ratio) => (Math.max(0, Math.log10(ratio)) / decades) * (WIDTH - LEFT - 80);
  const height = ratios.length * ROW + 70;
  const grid = Array.from({ length: decades + 1 }, (_, power) => {
    const x = LEFT + scale(10 ** power);
    return `<path class="grid" d="M${x} 40V${height - 24}"/><text class="tick" x="${x}" y="${height - 8}">${10 ** power}×</text>`;
  });
  const bars = ratios.map(({ name, ratio }, index) => {
    const y = 44 + index * ROW;
    const width = Math.max(1, scale(ratio));
    return [
      `<text class="name" x="${LEFT - 10}" y="${y + 15}">${markup(name)}</text>`,
      `<rect class="bar" x="${LEFT}" y="${y}" width="${width.toFixed(1)}" height="${ROW - 6}" rx="2"/>`,
      `<text class="value" x="${LEFT + width + 6}" y="${y + 15}">${ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(1)}×</text>`,
    ].join("");
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="How many times faster slate-yrs is than slate-yjs">
<style>
text { font: 13px system-ui, sans-serif; fill: #1f2933 }
.title { font-weight: 600; font-size: 15px } .name { text-anchor: end } .tick { text-anchor: middle; fill: #667 }
.grid { stroke: #cbd2d9; stroke-dasharray: 2 3 } .bar { fill: #2f6f8f }
svg { background: #fff }
</style>
<rect width="100%" height="100%" fill="#fff"/>
<text class="title" x="12" y="24">Times faster than slate-yjs, whole work, feature-length screenplay</text>
${grid.join("\n")}
${bars.join("\n")}
</svg>
`;
}

const markup = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
