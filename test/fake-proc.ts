import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Counters of a thread since it started. What is left out is nought. */
export type FakeThread = Readonly<{
  tid: number;
  comm?: string;
  state?: string;
  utime_ticks?: number;
  stime_ticks?: number;
  run_ns?: number;
  wait_ns?: number;
  timeslices?: number;
  voluntary?: number;
  involuntary?: number;
  migrations?: number;
  cpu?: number;
}>;

export type FakeProcess = Readonly<{
  pid: number;
  starttime_ticks?: number;
  flags?: number;
  rss_pages?: number;
  cmdline?: readonly string[];
  cgroup?: string;
  /** Threads beside the main one. */
  others?: readonly FakeThread[];
  /** What the stat file claims, where there shall be more threads than files. */
  num_threads?: number;
}> &
  Omit<FakeThread, 'tid'>;

export type FakeProc = Readonly<{
  /** For createContext: holds proc/. */
  root: string;
  /** Makes a process, or gives one new counters. */
  write(process: FakeProcess): void;
  /** Gives a process nothing but its stat file: what a scan of a large host reads of most. */
  writeStat(process: FakeProcess): void;
  remove(pid: number): void;
  /** Makes a process ours. */
  setSelf(pid: number): void;
  path(file: string): string;
  dispose(): void;
}>;

/** A /proc of our own making in a temporary directory below `parent`. */
export function fakeProc(parent = tmpdir()): FakeProc {
  const root = mkdtempSync(join(parent, 'fake-proc-'));
  // mkdtemp closes it to other users; a test may look at it as one.
  chmodSync(root, 0o755);
  const proc = join(root, 'proc');
  mkdirSync(proc);

  function writeStat(process: FakeProcess): void {
    const folder = join(proc, String(process.pid));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'stat'), statText(process, mainThread(process)));
  }

  return {
    root,
    writeStat,
    write(process) {
      writeStat(process);
      const folder = join(proc, String(process.pid));
      writeFileSync(join(folder, 'status'), statusText(process, mainThread(process)));
      writeFileSync(
        join(folder, 'cmdline'),
        (process.cmdline ?? []).map((arg) => `${arg}\0`).join(''),
      );
      writeFileSync(join(folder, 'cgroup'), `0::${process.cgroup ?? '/'}\n`);
      rmSync(join(folder, 'task'), { recursive: true, force: true });
      for (const thread of [mainThread(process), ...(process.others ?? [])]) {
        const task = join(folder, 'task', String(thread.tid));
        mkdirSync(task, { recursive: true });
        writeFileSync(join(task, 'stat'), statText(process, thread));
        writeFileSync(join(task, 'status'), statusText(process, thread));
        writeFileSync(join(task, 'schedstat'), schedstatText(thread));
        writeFileSync(join(task, 'sched'), schedText(process, thread));
      }
    },
    remove: (pid) => rmSync(join(proc, String(pid)), { recursive: true, force: true }),
    setSelf: (pid) => symlinkSync(String(pid), join(proc, 'self')),
    path: (file) => join(proc, file),
    dispose: () => rmSync(root, { recursive: true, force: true }),
  };
}

const mainThread = (process: FakeProcess): FakeThread => ({ ...process, tid: process.pid });

const threadsOf = ({ num_threads, others = [] }: FakeProcess): number =>
  num_threads ?? 1 + others.length;

/** The text of /proc/PID/stat, or of a thread's. */
export function statText(process: FakeProcess, thread: FakeThread): string {
  const { comm = 'program', state = 'S', utime_ticks = 0, stime_ticks = 0, cpu = 0 } = thread;
  const { flags = 0x40_0000, starttime_ticks = 1000, rss_pages = 100 } = process;
  const behind = Array(12).fill(0).join(' ');
  return (
    `${thread.tid} (${comm}) ${state} 1 ${process.pid} ${process.pid} 0 -1 ${flags} 0 0 0 0 ` +
    `${utime_ticks} ${stime_ticks} 0 0 20 0 ${threadsOf(process)} 0 ${starttime_ticks} 4096000 ${rss_pages} ` +
    `18446744073709551615 ${behind} 17 ${cpu} 0 0 0 0 0 0 0 0 0 0 0 0 0\n`
  );
}

/** The text of /proc/PID/status, or of a thread's. */
export function statusText(process: FakeProcess, thread: FakeThread): string {
  return [
    `Name:\t${(thread.comm ?? 'program').replaceAll('\n', '\\n')}`,
    `Tgid:\t${process.pid}`,
    `Pid:\t${thread.tid}`,
    'Uid:\t0\t0\t0\t0',
    'Gid:\t0\t0\t0\t0',
    `VmRSS:\t${(process.rss_pages ?? 100) * 4} kB`,
    'VmSwap:\t0 kB',
    `Threads:\t${threadsOf(process)}`,
    'Cpus_allowed_list:\t0-1',
    `voluntary_ctxt_switches:\t${thread.voluntary ?? 0}`,
    `nonvoluntary_ctxt_switches:\t${thread.involuntary ?? 0}`,
    '',
  ].join('\n');
}

/** The text of a thread's schedstat. */
export const schedstatText = ({ run_ns = 0, wait_ns = 0, timeslices = 0 }: FakeThread): string =>
  `${run_ns} ${wait_ns} ${timeslices}\n`;

/** The text of a thread's sched. */
export function schedText(process: FakeProcess, thread: FakeThread): string {
  const line = (name: string, value: string | number): string =>
    `${name.padEnd(45)}:${String(value).padStart(21)}`;
  return [
    `${thread.comm ?? 'program'} (${thread.tid}, #threads: ${threadsOf(process)})`,
    '-'.repeat(67),
    line('se.vruntime', '12.500000'),
    line('se.sum_exec_runtime', ((thread.run_ns ?? 0) / 1e6).toFixed(6)),
    line('se.nr_migrations', thread.migrations ?? 0),
    line('nr_voluntary_switches', thread.voluntary ?? 0),
    line('nr_involuntary_switches', thread.involuntary ?? 0),
    line('policy', 0),
    line('prio', 120),
    line('se.slice', 3_000_000),
    '',
  ].join('\n');
}
