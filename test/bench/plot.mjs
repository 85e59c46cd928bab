// Bars and lines as SVG, readable on light and dark pages.

const WIDTH = 860;
const LABEL_WIDTH = 210;
const NOTE_WIDTH = 250;
const BAR_HEIGHT = 20;
const TITLE_HEIGHT = 34;
const LINES_HEIGHT = 240;
const OURS = '#2f81f7';
const OTHERS = '#8b949e';
const DASHES = ['', '6 3', '2 3', '10 3 2 3', '1 5'];

const escape = (text) => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
const text = (x, y, content, attributes = '') => `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escape(content)}</text>`;

export function svgOf(caption, panels) {
  let y = 8;
  const parts = panels.map(({ height, draw }) => {
    const part = `<g transform="translate(0 ${y})">${draw()}</g>`;
    y += height;
    return part;
  });
  const style = 'text{font:13px system-ui,sans-serif;fill:#57606a}.title{font-weight:600}@media(prefers-color-scheme:dark){text{fill:#adbac7}}';
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y + 24}" viewBox="0 0 ${WIDTH} ${y + 24}"><style>${style}</style>
${parts.join('\n')}
${text(0, y + 14, caption)}
</svg>
`;
}

/** `bars`: label, value from 0, note behind the bar, isOurs. */
export function barPanel({ title, bars }) {
  const most = Math.max(...bars.map(({ value }) => value));
  const room = WIDTH - LABEL_WIDTH - NOTE_WIDTH;
  const bar = ({ label, value, note, isOurs }, index) => {
    const y = TITLE_HEIGHT + index * BAR_HEIGHT;
    const length = Math.max(1, (value / most) * room);
    return [
      text(LABEL_WIDTH - 8, y + 13, label, 'text-anchor="end"'),
      `<rect x="${LABEL_WIDTH}" y="${y}" width="${length.toFixed(1)}" height="${BAR_HEIGHT - 4}" fill="${isOurs ? OURS : OTHERS}"/>`,
      text(LABEL_WIDTH + length + 6, y + 13, note),
    ].join('');
  };
  return { height: TITLE_HEIGHT + bars.length * BAR_HEIGHT + 14, draw: () => text(0, 20, title, 'class="title"') + bars.map(bar).join('\n') };
}

/** `series`: label, isOurs and points [x, y]. */
export function linePanel({ title, series }) {
  const all = series.flatMap(({ points }) => points);
  const [left, right, top, bottom] = [70, WIDTH - 230, TITLE_HEIGHT, TITLE_HEIGHT + LINES_HEIGHT];
  const scaleX = logScale(all.map(([x]) => x), left, right);
  const scaleY = logScale(all.map(([, y]) => y), bottom, top);
  const line = ({ label, isOurs, points }, index) => {
    const colour = isOurs ? OURS : OTHERS;
    const dashes = DASHES[index % DASHES.length];
    const path = points.map(([x, y]) => `${scaleX.at(x).toFixed(1)},${scaleY.at(y).toFixed(1)}`).join(' ');
    const legendY = top + 10 + index * 20;
    return [
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2" stroke-dasharray="${dashes}"/>`,
      ...points.map(([x, y]) => `<circle cx="${scaleX.at(x).toFixed(1)}" cy="${scaleY.at(y).toFixed(1)}" r="3" fill="${colour}"/>`),
      `<line x1="${right + 20}" x2="${right + 50}" y1="${legendY}" y2="${legendY}" stroke="${colour}" stroke-width="2" stroke-dasharray="${dashes}"/>`,
      text(right + 56, legendY + 4, label),
    ].join('');
  };
  const grid = [
    ...scaleX.ticks.map((x) => `<line x1="${scaleX.at(x)}" x2="${scaleX.at(x)}" y1="${top}" y2="${bottom}" stroke="${OTHERS}" stroke-opacity=".25"/>${text(scaleX.at(x), bottom + 18, tick(x), 'text-anchor="middle"')}`),
    ...scaleY.ticks.map((y) => `<line x1="${left}" x2="${right}" y1="${scaleY.at(y)}" y2="${scaleY.at(y)}" stroke="${OTHERS}" stroke-opacity=".25"/>${text(left - 8, scaleY.at(y) + 4, tick(y), 'text-anchor="end"')}`),
  ];
  return { height: TITLE_HEIGHT + LINES_HEIGHT + 34, draw: () => [text(0, 20, title, 'class="title"'), ...grid, ...series.map(line)].join('\n') };
}

/** Half of what time(1) can tell: 0.00 s is no place on a logarithmic axis. */
const LEAST = 0.005;

function logScale(values, from, to) {
  const exponent = (value) => Math.log10(Math.max(value, LEAST));
  const low = Math.floor(exponent(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(exponent(Math.max(...values)) - 1e-9));
  const at = (value) => from + ((exponent(value) - low) / (high - low)) * (to - from);
  return { at, ticks: Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)) };
}

function tick(value) {
  return value < 1 ? String(Number(value.toPrecision(3))) : String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}
