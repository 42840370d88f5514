import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { parseLog2Hist } from '../../parsers/log2-hist/log2-hist.ts';
import { parseOffcputime } from '../../parsers/offcputime/offcputime.ts';
import { parseSyscountTable } from '../../parsers/syscount-table/syscount-table.ts';
import { collectCpuProfile } from '../../src/collectors/cpu-profile.ts';
import { collectOffcpuProfile } from '../../src/collectors/offcpu-profile.ts';
import { collectRunqLatency } from '../../src/collectors/runq-latency.ts';
import { collectSyscallCount } from '../../src/collectors/syscall-count.ts';
import { collectThreadProfile } from '../../src/collectors/thread-profile.ts';
import { createContext } from '../../src/context.ts';
import { call } from '../fake-host.ts';
import { endLoads, load, noTracing } from './traced-load.ts';
import { withTracefs } from './with-tracefs.ts';

const run = promisify(execFile);
const ctx = createContext({ daemon: false, readOnly: false });
const noTools = existsSync('/usr/sbin/runqlat') ? noTracing : ' (needs libbpf-tools)';
// A busy host takes seconds until bpftrace watches, and seconds until it has ended.
vi.setConfig({ testTimeout: 60_000 });
afterEach(endLoads);

/** Sleeps and wakes up all the time, so that windows that begin at other moments look alike. */
const steady = 'echo ready; while :; do sleep 0.002; done';

/** The range in which a share of the counted values lies. */
function rangeAt(buckets: readonly { min: number; max: number; count: number }[], share: number) {
  let left = share * buckets.reduce((sum, { count }) => sum + count, 0);
  return buckets.find(({ count }) => {
    left -= count;
    return left <= 0;
  });
}

describe.skipIf(noTools !== '')(`agreement with libbpf-tools in the same time${noTools}`, () => {
  test('waits for a CPU: medians within one range of runqlat', async () => {
    for (let each = 0; each < 3; each++) await load('sh', '-c', steady);
    const query = { per_process: false, per_pidns: false, milliseconds: false };
    const [ours, theirs] = await Promise.all([
      collectRunqLatency(ctx, { duration_seconds: 4, ...query }, call),
      run('/usr/sbin/runqlat', ['4', '1']),
    ]);
    expect(ours.data.method).toBe('bpftrace');
    const [table] = parseLog2Hist(theirs.stdout);
    for (const share of [0.5, 0.9] as const) {
      const told = ours.data.summary?.ranges_us?.[share === 0.5 ? 'p50' : 'p90'];
      const range = rangeAt(table?.buckets ?? [], share);
      // The same range or the one beside it.
      expect(told?.[0]).toBeGreaterThanOrEqual((range?.min ?? 0) / 2);
      expect(told?.[0]).toBeLessThanOrEqual((range?.max ?? 0) + 1);
    }
  });

  test('system calls: counts and times of syscount', async () => {
    const { pid } = await load(
      'bash',
      '-c',
      'echo ready; while :; do read -t 0.01 < /dev/zero; done',
    );
    const flags = { include_latency: true, per_process: false, include_errors: false, top_n: 50 };
    const [ours, theirs] = await Promise.all([
      collectSyscallCount(ctx, { duration_seconds: 4, pid, ...flags }, call),
      run(...withTracefs('/usr/sbin/syscount', '-d', '4', '-T', '100', '-L', '-p', String(pid))),
    ]);
    const rows = parseSyscountTable(theirs.stdout);
    const [top] = ours.data.syscalls ?? [];
    const same = rows.find(({ name }) => name === top?.name);
    const window_s = (ours.window_ms ?? 0) / 1000;
    // Both begin when their probes are attached, which is not the same moment: rates are compared.
    expect(top?.rate_per_sec).toBeGreaterThan(((same?.count ?? 0) / 4) * 0.7);
    expect(top?.rate_per_sec).toBeLessThan(((same?.count ?? 0) / 4) * 1.4);
    const theirs_us = (same?.total_us ?? 0) / (same?.count ?? 1);
    expect(top?.latency?.avg_us).toBeGreaterThan(theirs_us / 2);
    expect(top?.latency?.avg_us).toBeLessThan(theirs_us * 2);
    expect(window_s).toBeGreaterThan(3.5);
  });

  test('blocked time: the sum of offcputime', async () => {
    const { pid } = await load('/usr/bin/python3', 'test/live/programs/locks.py');
    const shown = { min_block_us: 1000, kernel_stacks: true, user_stacks: false };
    const [ours, theirs] = await Promise.all([
      collectOffcpuProfile(ctx, { duration_seconds: 4, pid, ...shown }, call),
      run('/usr/sbin/offcputime', ['-p', String(pid), '-m', '1000', '4']),
    ]);
    const per_s = (ms: number, window_ms: number): number => ms / window_ms;
    const sleeping = ours.data.by_wait_type?.find(({ wait_type }) => wait_type === 'sleep');
    const stacks = parseOffcputime(theirs.stdout);
    const theirs_us = stacks
      .filter(({ frames }) => frames.includes('do_nanosleep'))
      .reduce((sum, { total_us }) => sum + total_us, 0);
    // The first thread sleeps all the time: only we count a wait that began before the window.
    const told = per_s(sleeping?.blocked_ms ?? 0, ours.window_ms ?? 1) - 1;
    expect(told).toBeCloseTo(per_s(theirs_us / 1000, 4000), 0);
    expect(told).toBeGreaterThan(0.85);
  });
});

const noPidstat = existsSync('/usr/bin/pidstat') ? '' : ' (needs sysstat)';

test.skipIf(noPidstat !== '')(`CPU time of threads: pidstat agrees${noPidstat}`, async () => {
  const { pid } = await load('sh', '-c', 'echo ready; while :; do :; done');
  const [ours, theirs] = await Promise.all([
    collectThreadProfile(ctx, { pid, duration_seconds: 3, include_offcpu: false }, call),
    run('/usr/bin/pidstat', ['-u', '-p', String(pid), '3', '1'], { env: { LC_ALL: 'C' } }),
  ]);
  const average = theirs.stdout.split('\n').find((line) => line.startsWith('Average:')) ?? '';
  const header = theirs.stdout.split('\n').find((line) => line.includes('%CPU')) ?? '';
  // The first column is the time, of two words in the C locale or one.
  const columns = header.trim().split(/\s+/);
  const fields = average.trim().split(/\s+/);
  const pidstat = Number(fields[fields.length - (columns.length - columns.indexOf('%CPU'))]);
  expect(ours.data.process_total.cpu_total_percent).toBeGreaterThan(pidstat - 8);
  expect(ours.data.process_total.cpu_total_percent).toBeLessThan(pidstat + 8);
});

const noPerf =
  existsSync('/usr/bin/perf') && process.geteuid?.() === 0 ? '' : ' (needs perf, root)';

test.skipIf(noPerf !== '')(`busy samples of a loop: as many as its CPU time${noPerf}`, async () => {
  const { pid } = await load('sh', '-c', 'echo ready; while :; do :; done');
  const ticks = (): number => {
    const stat = execFileSync('cat', [`/proc/${pid}/stat`], { encoding: 'utf8' }).split(' ');
    return Number(stat[13]) + Number(stat[14]);
  };
  const before = ticks();
  const shape = { include_kernel: true, output_format: 'summary' as const };
  const query = { duration_seconds: 3, pid, sample_rate_hz: 199, ...shape };
  const { data } = await collectCpuProfile(ctx, query, call);
  // The profile is read after its window: the loop has run for longer by then.
  const cpu_ms = (ticks() - before) * 10;
  const sampled_ms = ((data.total_samples ?? 0) * 1000) / 199;
  expect(sampled_ms).toBeLessThan(cpu_ms * 1.05);
  expect(sampled_ms).toBeGreaterThan(cpu_ms * 0.6);
});
