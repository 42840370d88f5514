import type { Topology } from '../collectors/topology.ts';
import { meanOf, percent, shade } from './heat-map.ts';
import { type Html, html } from './html.ts';
import type { Utilisation } from './report-data.ts';

/** Nodes, the last-level caches in them, the cores of these and their threads, as boxes in boxes. */
export function topologyMap(topology: Topology, utilisation: Utilisation | null): Html {
  const { nodes, llcs, cores, offline } = topology;
  const busy = (cpu: number): number | null => meanOf(utilisation?.cpus.get(cpu) ?? []);
  const cpuBox = (cpu: number): Html => {
    const pct = busy(cpu);
    return html`<span class="cpu ${shade(pct)}" title="CPU ${cpu}: ${percent(pct)} busy">${cpu}</span>`;
  };
  const coresWithin = (cpus: readonly number[]): readonly Html[] => {
    const here = new Set(cpus);
    return cores
      .filter((core) => core.cpus.some((cpu) => here.has(cpu)))
      .map(
        (core) =>
          html`<span class="core">${core.cpus.filter((c) => here.has(c)).map(cpuBox)}</span>`,
      );
  };
  const boxes = nodes.map((node) => {
    const members = new Set(node.cpus);
    const within = llcs
      .map((llc) => ({ ...llc, cpus: llc.cpus.filter((cpu) => members.has(cpu)) }))
      .filter(({ cpus }) => cpus.length > 0);
    return html`<div class="node"><h3>Node ${node.id}<small>${memory(node.memory_bytes)}${distances(node.distances)}</small></h3>
${within.map((llc) => html`<div class="llc"><h4>LLC ${llc.id}<small>${cacheSize(llc)}</small></h4>${coresWithin(llc.cpus)}</div>`)}</div>`;
  });
  return html`<div class="topology">${boxes}</div>${offline.length === 0 ? null : html`<p class="note">Offline: CPU ${offline.join(', ')}.</p>`}`;
}

const memory = (bytes: number | null): string =>
  bytes === null ? '' : ` ${(bytes / 2 ** 30).toFixed(0)} GiB`;

const distances = (all: readonly number[]): string =>
  all.length < 2 ? '' : `, distances ${all.join(' ')}`;

function cacheSize({ level, size_bytes }: Topology['llcs'][number]): string {
  const size = size_bytes === null ? '' : ` ${(size_bytes / 2 ** 20).toFixed(0)} MiB`;
  return level === null ? size : ` L${level}${size}`;
}
