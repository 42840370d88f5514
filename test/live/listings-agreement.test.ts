import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { collectBpfPrograms } from '../../src/collectors/bpf-programs.ts';
import { collectCurrentScheduler } from '../../src/collectors/current-scheduler.ts';
import { kernelFunctions } from '../../src/collectors/kernel-functions.ts';
import { collectPerfEvents } from '../../src/collectors/perf-events.ts';
import { createContext } from '../../src/context.ts';
import { bundled } from '../bundled.ts';
import { call } from '../fake-host.ts';

const helper = vi.hoisted(() => ({ path: '' }));
vi.mock('../../src/paths.ts', () => ({ ownBundle: () => helper.path }));

const root = process.geteuid?.() === 0;
const has = (program: string, ...args: string[]): boolean => spawnSync(program, args).status === 0;
const has_perf = has('perf', 'version');
const has_bpftool = has('bpftool', 'version');
const has_bpftrace = has('bpftrace', '--version');
const available_events = '/sys/kernel/tracing/available_events';

const newContext = () => createContext({ daemon: false, readOnly: false });

function output(program: string, ...args: string[]): string {
  const { status, stdout } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    env: { PATH: '/usr/sbin:/usr/bin', LC_ALL: 'C' },
  });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}`);
  return stdout;
}

/** File systems that a tool may mount for itself and leave behind. */
const leftovers = (): string[] =>
  readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((line) => / (?:tracefs|bpf|debugfs) /.test(line));

describe.skipIf(!root || !has_perf)('events://perf (needs root and perf)', () => {
  test('has as many events as tracefs, or perf in a private mount of it, lists', async () => {
    const mounts = leftovers();
    const from_tracefs = existsSync(available_events);
    const { data, source } = await collectPerfEvents(newContext(), { limit: 1, offset: 0 }, call);
    expect(leftovers()).toEqual(mounts);
    const listed = from_tracefs
      ? readFileSync(available_events, 'utf8')
      : output('unshare', '--mount', 'perf', 'list', '--no-desc', 'tracepoint');
    expect(data.total_events).toBe(listed.trim().split('\n').length);
    expect(source).toBe(from_tracefs ? available_events : 'perf list');
  });
});

describe.skipIf(!has_bpftool || !existsSync('/sys/kernel/btf/vmlinux'))(
  'events://kprobe (needs bpftool and BTF)',
  () => {
    test('has the functions that bpftool finds in BTF, name by name', async () => {
      const { parseBtfFunctions } = await import('../../parsers/btf/btf.ts');
      const dump = output('bpftool', 'btf', 'dump', 'file', '/sys/kernel/btf/vmlinux');
      const theirs = [...dump.matchAll(/^\[\d+\] FUNC '([^']+)'/gm)].map(([, name]) => name);
      const ours = parseBtfFunctions(readFileSync('/sys/kernel/btf/vmlinux'));
      expect(ours.length).toBe(theirs.length);
      expect(ours).toEqual(theirs);
    });

    test('is the list of ftrace where that can be read, else that of BTF', async () => {
      const listing = await kernelFunctions(newContext(), call);
      const file = listing?.source ?? '';
      expect(listing?.functions.length).toBeGreaterThan(1000);
      expect(listing?.attach).toBe(
        file.endsWith('available_filter_functions') ? 'kprobe' : 'fentry',
      );
    });
  },
);

test('scheduler://current says what the state file says', async () => {
  const file = '/sys/kernel/sched_ext/state';
  const enabled = existsSync(file) && readFileSync(file, 'utf8').trim() === 'enabled';
  const { data } = await collectCurrentScheduler(newContext(), call);
  expect(data.active).toBe(enabled);
  expect(data.class).toBe(enabled ? 'sched_ext' : 'fair');
});

const setting = '/proc/sys/kernel/bpf_stats_enabled';
const statsEnabled = (): string => readFileSync(setting, 'utf8').trim();
const can_switch = root && existsSync(setting) && statsEnabled() === '0';

let folder = '';
beforeAll(async () => {
  folder = mkdtempSync('/tmp/tracewright-stats-');
  helper.path = join(folder, 'helper.mjs');
  const contents = `import { bpfStatsWindow } from './src/daemon/bpf-stats-window.ts';
    const [mode, ms, leaving] = process.argv.slice(2);
    if (leaving) process.on('SIGTERM', () => process.exit(143));
    if (mode === 'internal-bpf-stats') await bpfStatsWindow(Number(ms));`;
  await bundled(contents, helper.path);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(!can_switch || !has_bpftool || !has_bpftrace)(
  'bpf://programs (needs root, bpftool, bpftrace and kernel.bpf_stats_enabled=0)',
  () => {
    let tracer: ChildProcess;
    beforeAll(async () => {
      const program = 'profile:hz:99 { @ticks[comm] = count(); } END { clear(@ticks); }';
      tracer = spawn('bpftrace', ['-e', program], { stdio: ['ignore', 'pipe', 'ignore'] });
      for (let tries = 0; tries < 100 && (await own()).length === 0; tries++) await delay(100);
    });
    afterAll(async () => {
      // bpftrace 0.17 can sleep through a SIGINT that comes just before it waits for events.
      while (tracer.exitCode === null && tracer.signalCode === null) {
        tracer.kill('SIGINT');
        await delay(200);
      }
    });

    async function own(stats_ms?: number) {
      const query = { limit: 500, offset: 0, stats_ms };
      const { data } = await collectBpfPrograms(newContext(), query, call);
      return data.programs.filter(({ pids }) => pids?.some(({ pid }) => pid === tracer.pid));
    }

    test('shows a program of bpftrace as bpftool does, with its owner', async () => {
      const [program] = await own();
      const theirs = JSON.parse(output('bpftool', '-j', 'prog', 'show', 'id', String(program?.id)));
      expect(program).toMatchObject({
        name: theirs.name,
        type: 'perf_event',
        tag: theirs.tag,
        bytes_xlated: theirs.bytes_xlated,
        map_ids: theirs.map_ids,
        pids: [{ pid: tracer.pid, comm: 'bpftrace' }],
      });
      expect(Date.parse(program?.loaded_at ?? '')).toBe(theirs.loaded_at * 1000);
    });

    test('counts the runs of a 99 Hz profile on each busy CPU', async () => {
      const cpus = Number(output('nproc'));
      // On a virtual machine the profile's clock may stop while a CPU idles: none may.
      const spin = ['-e', 'const end = Date.now() + 10_000; while (Date.now() < end);'];
      const load = Array.from({ length: 2 * cpus }, () => spawn(process.execPath, spin));
      const [program] = await own(1500).finally(() => {
        for (const each of load) each.kill('SIGKILL');
      });
      const per_cpu = (program?.window?.run_count_per_s ?? 0) / cpus;
      expect(per_cpu).toBeGreaterThan(70);
      expect(per_cpu).toBeLessThan(110);
      expect(program?.window?.avg_run_time_ns).toBeGreaterThan(0);
      expect(statsEnabled()).toBe('0');
    });

    test('adds up over two windows', async () => {
      const [first] = await own(300);
      const [second] = await own(300);
      const grown = Number(second?.run_count) - Number(first?.run_count);
      expect(grown).toBeGreaterThanOrEqual(second?.window?.run_count ?? Number.NaN);
      expect(second?.window?.run_count).toBeGreaterThan(0);
    });

    test('puts the setting back where the request is canceled', async () => {
      const controller = new AbortController();
      const query = { limit: 1, offset: 0, stats_ms: 10_000 };
      const canceled = { ...call, signal: controller.signal };
      const reading = collectBpfPrograms(newContext(), query, canceled).catch((error) => error);
      await until(() => statsEnabled() === '1');
      controller.abort();
      expect(await reading).toBeInstanceOf(Error);
      expect(statsEnabled()).toBe('0');
    });
  },
);

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !holds(); tries++) await delay(20);
  expect(holds()).toBe(true);
}

describe.skipIf(!can_switch)(
  'the helper that has run times counted (needs root and kernel.bpf_stats_enabled=0)',
  () => {
    const start = () =>
      spawn(process.execPath, [helper.path, 'internal-bpf-stats', '20000'], {
        stdio: ['ignore', 'ignore', 'inherit'],
      });

    test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('puts it back on %s', async (signal) => {
      const child = start();
      await until(() => statsEnabled() === '1');
      child.kill(signal);
      await once(child, 'exit');
      expect(statsEnabled()).toBe('0');
    });

    test('puts it back where the program leaves on SIGTERM by itself', async () => {
      const args = [helper.path, 'internal-bpf-stats', '20000', 'leaving'];
      const child = spawn(process.execPath, args, { stdio: 'ignore' });
      await until(() => statsEnabled() === '1');
      child.kill('SIGTERM');
      expect(await once(child, 'exit')).toEqual([143, null]);
      expect(statsEnabled()).toBe('0');
    });

    test('puts it back at the end of the window', async () => {
      const child = spawn(process.execPath, [helper.path, 'internal-bpf-stats', '200']);
      await until(() => statsEnabled() === '1');
      await once(child, 'exit');
      expect(statsEnabled()).toBe('0');
    });

    test('puts it back when whoever started it is killed', async () => {
      const words = ['--pdeathsig', 'TERM', '--', process.execPath, helper.path];
      const script = `require('node:child_process').spawn('setpriv', ${JSON.stringify([...words, 'internal-bpf-stats', '20000'])})`;
      const parent = spawn(process.execPath, ['-e', script]);
      await until(() => statsEnabled() === '1');
      parent.kill('SIGKILL');
      await until(() => statsEnabled() === '0');
    });

    test('leaves it alone where somebody else has switched it on', async () => {
      const owner = start();
      await until(() => statsEnabled() === '1');
      const second = spawn(process.execPath, [helper.path, 'internal-bpf-stats', '100']);
      await once(second, 'exit');
      expect(statsEnabled()).toBe('1');
      owner.kill('SIGTERM');
      await once(owner, 'exit');
      expect(statsEnabled()).toBe('0');
    });
  },
);
