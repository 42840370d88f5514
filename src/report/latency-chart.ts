import { type Html, html } from './html.ts';
import type { Latency } from './report-data.ts';

const width = 720;
const height = 150;
/** More labels than this run into each other. */
const most_labels = 16;
const base = 130;
const left = 10;

/** Bars over ranges of time, each twice as long as the one before. */
export function latencyChart({ title, of, rows, count, ...latency }: Latency): Html {
  const { p50_us, p99_us, max_us, verdict, method } = latency;
  if (count === 0) {
    return html`<figure><h3>${title}</h3>
<p class="figures">No ${of} in the window${method === null ? null : html` (${method})`}.</p></figure>`;
  }
  const most = Math.max(1, ...rows.map((row) => row.count));
  const slot = (width - left) / Math.max(1, rows.length);
  const bars = rows.map((row, at) => {
    const tall = row.count === 0 ? 0 : Math.max(1, (row.count / most) * (base - 16));
    const x = left + at * slot;
    const range = `${time(row.range_start_us)} to ${time(row.range_end_us + 1)}`;
    const isLabelled = rows.length <= most_labels || at % 2 === 0;
    const label = isLabelled
      ? html`<text class="tick" x="${(x + 1).toFixed(1)}" y="${base + 14}">${time(row.range_start_us)}</text>`
      : null;
    return html`<rect class="bar" x="${(x + 1).toFixed(1)}" y="${(base - tall).toFixed(1)}" width="${(slot - 2).toFixed(1)}" height="${tall.toFixed(1)}"><title>${range}: ${row.count}</title></rect>${label}
`;
  });
  const figures = [
    ['p50', p50_us],
    ['p99', p99_us],
    ['longest', max_us],
  ] as const;
  return html`<figure><h3>${title}</h3>
<p class="figures"><b>${count}</b> ${of}${figures.map(([name, value]) => (value === null ? null : html` <span>${name} <b>${time(value)}</b></span>`))}</p>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}: ${count} ${of}, by how long they took">
<line class="base" x1="${left}" x2="${width}" y1="${base}" y2="${base}"/>
${bars}
</svg>
${verdict === null ? null : html`<figcaption>${verdict}</figcaption>`}
<details><summary>Figures${method === null ? null : html` (${method})`}</summary><table><thead><tr><th>from</th><th>to below</th><th>${of}</th></tr></thead><tbody>${rows.map((row) => html`<tr><td>${time(row.range_start_us)}</td><td>${time(row.range_end_us + 1)}</td><td>${row.count}</td></tr>`)}</tbody></table></details></figure>`;
}

/** Microseconds, in the unit that a person would say. */
export function time(us: number): string {
  if (us < 1000) return `${short(us)} µs`;
  return us < 1_000_000 ? `${short(us / 1000)} ms` : `${short(us / 1_000_000)} s`;
}

const short = (value: number): string => String(Number(value.toFixed(value < 10 ? 1 : 0)));
