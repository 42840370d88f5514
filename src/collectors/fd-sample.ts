import { fdType } from '../../parsers/fd-target/fd-target.ts';
import { TracewrightError } from '../errors.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import { readStat } from './process-facts.ts';
import { readSelf } from './process-places.ts';

/** Links that are followed for the first and the last sample, and for those between. */
export const max_links = { ends: 20_000, between: 1000 };

/** The open descriptors of a process at one moment. */
export type FdSample = Readonly<{
  total: number;
  /** By descriptor, of the first `most_links`: what it leads to; null where that is closed to us. */
  targets: ReadonlyMap<number, string | null>;
  by_type: Readonly<Record<string, number>>;
}>;

/**
 * Null where the process is gone, or where its pid belongs to another one by now.
 *
 * @throws TracewrightError CAPABILITY_MISSING where this user may not look.
 */
export function sampleFds(
  files: HostFiles,
  pid: number,
  starttime_ticks: number | null,
  most_links: number,
): FdSample | null {
  const folder = `/proc/${pid}/fd`;
  const names = files.list(folder);
  const stat = readStat(files, `/proc/${pid}/stat`);
  if (stat === null || (starttime_ticks !== null && stat.starttime_ticks !== starttime_ticks)) {
    return null;
  }
  if (names === null) {
    const file = files.read(folder, 1);
    if (!file.ok && file.absence === 'denied') throw mayNotLook(pid);
    return null;
  }
  const own = readSelf(files) === pid;
  const targets = readTargets(files, folder, names.slice(0, most_links), own);
  const rest = Math.max(0, names.length - most_links);
  return { total: targets.size + rest, targets, by_type: countTypes(targets.values(), rest) };
}

function readTargets(
  files: HostFiles,
  folder: string,
  names: readonly string[],
  own: boolean,
): ReadonlyMap<number, string | null> {
  const links = names.map((name) => [name, files.link(`${folder}/${name}`)] as const);
  // Listing takes less permission than reading a link: what is still there was not just closed. Of
  // ourselves it is the descriptor of the folder, open while we list it.
  const unread = !own && links.some(([, target]) => target === null);
  const open = new Set(unread ? files.list(folder) : null);
  return new Map(
    links
      .filter(([name, target]) => target !== null || open.has(name))
      .map(([name, target]) => [Number(name), target]),
  );
}

function countTypes(targets: Iterable<string | null>, unclassified: number) {
  const counts: Record<string, number> = {};
  for (const target of targets) {
    const type = target === null ? 'unknown' : fdType(target);
    counts[type] = (counts[type] ?? 0) + 1;
  }
  return unclassified === 0 ? counts : { ...counts, unclassified };
}

const mayNotLook = (pid: number): TracewrightError =>
  new TracewrightError(
    'CAPABILITY_MISSING',
    `This user may not look at the descriptors of process ${pid}: that takes CAP_SYS_PTRACE.`,
    'Run Tracewright as root, or as the user of that process.',
  );
