import type { Topology } from '../collectors/topology.ts';
import { type Html, html } from './html.ts';
import type { Utilisation } from './report-data.ts';

type Row = Readonly<{ label: string; cpus: readonly number[]; level: 'node' | 'llc' | 'cpu' }>;

/** Beyond this many CPUs rows are those of caches and nodes alone. */
const most_cpu_rows = 64;
const row_height = 18;
const label_width = 130;
const map_width = 720;

/** Mean of what is known; null where nothing is. */
export function meanOf(values: readonly (number | null | undefined)[]): number | null {
  const known = values.filter((value) => typeof value === 'number');
  return known.length === 0 ? null : known.reduce((sum, each) => sum + each, 0) / known.length;
}

/** One of eleven shades, which the style sheet has for light and for dark. */
export const shade = (pct: number | null): string =>
  pct === null ? 'none' : `u${Math.min(10, Math.max(0, Math.round(pct / 10)))}`;

export const percent = (pct: number | null): string =>
  pct === null ? 'not known' : `${pct.toFixed(0)} %`;

/** Rows of nodes with their caches, and these with their CPUs, over the time from left to right. */
export function heatMap({ times_ms, cpus }: Utilisation, topology: Topology | null): Html {
  const rows = rowsOf(cpus, topology);
  const step = (map_width - label_width) / Math.max(1, times_ms.length);
  const height = rows.length * row_height + 24;
  const end_s = (times_ms.at(-1) ?? 0) / 1000;
  return html`<svg class="heat" viewBox="0 0 ${map_width} ${height}" role="img" aria-label="How busy CPUs were, by node and cache, over ${end_s.toFixed(1)} seconds">
${rows.map((row, at) => heatRow(row, at, cpus, times_ms, step))}
<text x="${label_width}" y="${height - 6}">0 s</text>
<text class="end" x="${map_width}" y="${height - 6}">${end_s.toFixed(1)} s</text>
</svg>${legend()}`;
}

function heatRow(
  { label, cpus: members, level }: Row,
  at: number,
  cpus: Utilisation['cpus'],
  times_ms: readonly number[],
  step: number,
): Html {
  const y = at * row_height;
  const cells = times_ms.map((time_ms, index) => {
    const pct = meanOf(members.map((cpu) => cpus.get(cpu)?.[index]));
    const x = (label_width + index * step).toFixed(2);
    return html`<rect class="${shade(pct)}" x="${x}" y="${y}" width="${(step + 0.2).toFixed(2)}" height="${row_height - 2}"><title>${label}, ${(time_ms / 1000).toFixed(1)} s: ${percent(pct)}</title></rect>`;
  });
  return html`<text class="row of-${level}" x="${label_width - 8}" y="${y + 12}">${label}</text>${cells}
`;
}

function rowsOf(cpus: Utilisation['cpus'], topology: Topology | null): readonly Row[] {
  const all = [...cpus.keys()].sort((a, b) => a - b);
  if (topology === null) return cpuRows(all);
  const { nodes, llcs } = topology;
  const showsCpus = all.length <= most_cpu_rows;
  const ofNode = nodes
    .filter((node) => node.cpus.length > 0)
    .flatMap((node) => {
      const members = new Set(node.cpus);
      const within = llcs.filter((llc) => llc.cpus.some((cpu) => members.has(cpu)));
      return [
        { label: `Node ${node.id}`, cpus: node.cpus, level: 'node' } as const,
        ...within.flatMap(({ id, cpus: sharing }) => {
          const here = sharing.filter((cpu) => members.has(cpu));
          return [
            { label: `LLC ${id}`, cpus: here, level: 'llc' } as const,
            ...(showsCpus ? cpuRows(here) : []),
          ];
        }),
      ];
    });
  return ofNode.length === 0 ? cpuRows(all) : ofNode;
}

const cpuRows = (cpus: readonly number[]): readonly Row[] =>
  cpus.map((cpu) => ({ label: `CPU ${cpu}`, cpus: [cpu], level: 'cpu' }));

function legend(): Html {
  const steps = Array.from({ length: 11 }, (_, index) => index);
  return html`<p class="legend">idle ${steps.map((index) => html`<i class="u${index}"></i>`)} busy</p>`;
}
