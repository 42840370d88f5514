import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parsePidStat } from '../../parsers/pid-stat/pid-stat.ts';
import { readOwnFile } from '../store/own-file.ts';
import { privateFolder } from '../store/state-folder.ts';

/** The setting of the kernel, and a folder of root's that goes with a restart of the host. */
export type BpfStats = Readonly<{ setting: string; folder: string }>;

export const bpf_stats: BpfStats = {
  setting: '/proc/sys/kernel/bpf_stats_enabled',
  folder: '/run/tracewright-helper',
};

const markerIn = (folder: string): string => join(folder, 'bpf-stats');

/** A process for good: ids are used again. Null where it has ended. */
function lifeOf(pid: number): string | null {
  try {
    const { starttime_ticks, state } = parsePidStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    return state === 'Z' ? null : `${pid} ${starttime_ticks}`;
  } catch {
    return null;
  }
}

/**
 * Notes that this process switches the setting on, for whoever comes when it was killed. Where that
 * cannot be written (a full disk, a file system without writing) it goes without.
 */
export function mark({ folder }: BpfStats): void {
  const own = join(folder, `bpf-stats-${process.pid}`);
  try {
    privateFolder(folder);
    rmSync(own, { force: true });
    writeFileSync(own, `${lifeOf(process.pid)}\n`, { flag: 'wx', mode: 0o600 });
    renameSync(own, markerIn(folder));
  } catch {
    removeQuietly(own);
  }
}

export const unmark = ({ folder }: BpfStats): void => removeQuietly(markerIn(folder));

function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Where nothing can be written nothing was.
  }
}

/** Whether the setting was switched on by a process of ours that was killed before it put it back. */
export function isAbandoned({ folder }: BpfStats): boolean {
  const life = readOwnFile(markerIn(folder))?.trim();
  const pid = /^(\d+) \d+$/.exec(life ?? '')?.[1];
  return pid !== undefined && lifeOf(Number(pid)) !== life;
}

/** Puts back what a process of ours was killed over. */
export function putBackAbandoned(stats = bpf_stats): void {
  if (!isAbandoned(stats)) return;
  writeFileSync(stats.setting, '0');
  unmark(stats);
}
