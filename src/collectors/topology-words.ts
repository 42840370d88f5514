import { formatCpuList } from '../../parsers/cpu-list/cpu-list.ts';
import type { Topology } from './topology.ts';

/** The topology in up to four lines, as a person would say it. */
export function describeTopology(topology: Topology): string[] {
  const { cpus, cores, llcs, nodes, packages, offline } = topology;
  const lines = [
    `${count(cpus.length, 'CPU')} online: ${count(cores.length, 'core')} with ` +
      `${spread(cores.map((core) => core.cpus.length))} ` +
      `${cores.every((core) => core.cpus.length === 1) ? 'thread' : 'threads'} each, ` +
      `${count(packages.length, 'package')}, ${count(nodes.length, 'NUMA node')}.`,
    describeLlcs(llcs),
  ];
  const strong = cpus.filter((cpu) => cpu.core_type === 'performance').length;
  const efficient = cpus.filter((cpu) => cpu.core_type === 'efficiency').length;
  if (efficient > 0) lines.push(`Hybrid: ${strong} performance and ${efficient} efficiency CPUs.`);
  if (offline.length > 0) lines.push(`Offline: CPUs ${formatCpuList(offline)}.`);
  return lines;
}

function describeLlcs(llcs: Topology['llcs']): string {
  const sharers = llcs.map((llc) => llc.cpus.length);
  const cpus = `${spread(sharers)} ${sharers.every((n) => n === 1) ? 'CPU' : 'CPUs'} each`;
  if (llcs.every((llc) => llc.assumed)) {
    return `Last-level caches unknown: ${count(llcs.length, 'group')} assumed, ${cpus}.`;
  }
  const known = llcs.filter((llc) => !llc.assumed);
  const levels = [...new Set(known.map((llc) => `L${llc.level}`))].sort().join(' and ');
  const sizes = known.map((llc) => llc.size_bytes).filter((bytes) => bytes !== null);
  const mib = sizes.map((bytes) => Math.round((bytes / 1024 / 1024) * 100) / 100);
  const size = mib.length === 0 ? '' : `, ${spread(mib)} MiB`;
  return `${count(llcs.length, 'last-level cache')} (${levels}${size}), ${cpus}.`;
}

/** `1 package`, `2 packages` */
export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

function spread(values: readonly number[]): string {
  const least = Math.min(...values);
  const most = Math.max(...values);
  return least === most ? String(least) : `${least} to ${most}`;
}
