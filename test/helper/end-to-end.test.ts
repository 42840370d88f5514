import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { helper_socket } from '../../src/helper/privileged-runs.ts';
import { isRunning } from '../exec/commands.ts';
import { killProcess } from '../kill-process.ts';
import {
  asNobody,
  canInstall,
  helpersOf,
  type Installed,
  installForTest,
  nobody_uid,
  removeFolderOf,
  tracersOf,
} from './installed.ts';
import { ofTheUnit } from './of-the-unit.ts';

const sudo = '/usr/bin/sudo';
const activate = '/usr/bin/systemd-socket-activate';
const rule = '/etc/sudoers.d/tracewright-test';
const sockets = '/run/tracewright';
/** bpftrace compiles for seconds on a busy machine. */
const long_ms = 120_000;

async function answer(installed: Installed, ...words: readonly string[]) {
  const { code, stdout, stderr } = await installed.asNobody('--json', ...words);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout);
}

/** What the tools of a server that is root tell, told to nobody. */
function tracesAsNobody(installed: () => Installed, route: string): void {
  const way = ['--helper', route];

  test('perf_runq_latency counts in the kernel', { timeout: long_ms }, async () => {
    const told = await answer(
      installed(),
      ...way,
      ...['call', 'perf_runq_latency', 'duration_seconds=1'],
    );
    expect(told.data).toMatchObject({ method: 'bpftrace' });
    expect(told.data.histogram.length).toBeGreaterThan(0);
  });

  test('perf_cpu_profile samples all CPUs with perf', { timeout: long_ms }, async () => {
    const told = await answer(
      installed(),
      ...way,
      ...['call', 'perf_cpu_profile', 'duration_seconds=2'],
    );
    expect(told.data).toMatchObject({ method: 'perf' });
    expect(told.data.total_samples + told.data.idle_samples).toBeGreaterThan(0);
  });

  test('bpf://programs lists what is loaded', { timeout: long_ms }, async () => {
    const told = await answer(installed(), ...way, 'read', 'bpf://programs');
    expect(told.source).toContain('bpftool');
    expect(Number.isInteger(told.total_count)).toBe(true);
  });

  test('stats://aggregated/process traces who wakes whom', { timeout: long_ms }, async () => {
    const uri = 'stats://aggregated/process?trace_ms=500&limit=3';
    const told = await answer(installed(), ...way, 'read', uri);
    expect(told.traced.wakeup_latency.count).toBeGreaterThan(0);
  });

  test('events are told as they happen', { timeout: long_ms }, async () => {
    const words = ['watch', '--types', 'sched_switch', '--duration', '1'];
    const { stdout } = await installed().asNobody(...way, '--json', ...words);
    const lines = stdout.split('\n').filter((line) => line.includes('"sched_switch"'));
    expect(lines.length).toBeGreaterThan(3);
  });

  test('and nothing is left', { timeout: long_ms }, async () => {
    await expect.poll(() => helpersOf(installed()), { timeout: 20_000 }).toEqual([]);
  });
}

describe.skipIf(!canInstall || !existsSync(sudo))(
  'through sudo (skipped without root, bpftrace or sudo)',
  () => {
    let installed: Installed;
    const get = (): Installed => installed;
    const killed: number[] = [];
    beforeAll(() => {
      installed = installForTest();
      const words = `${process.execPath} ${installed.bundle} helper`;
      writeFileSync(rule, `#${nobody_uid} ALL=(root) NOSETENV: NOPASSWD: ${words}\n`, {
        mode: 0o440,
      });
    });
    afterAll(() => {
      rmSync(rule, { force: true });
      for (const helper of helpersOf(installed)) process.kill(helper, 'SIGKILL');
      for (const helper of killed) removeFolderOf(helper);
      installed.remove();
    });

    tracesAsNobody(get, 'sudo');

    /** A tracer under way: its client, its helper, and what that started. */
    async function watching() {
      const words = ['watch', '--types', 'sched_switch', '--duration', '600'];
      const client = installed.startAsNobody('--helper', 'sudo', '--json', ...words);
      client.stdout?.resume();
      await expect.poll(() => helpersOf(installed).length, { timeout: 60_000 }).toBe(1);
      const [helper = 0] = helpersOf(installed);
      await expect.poll(() => tracersOf(helper).length, { timeout: 60_000 }).toBeGreaterThan(0);
      return { client, helper, tracers: tracersOf(helper) };
    }

    test.each(['the client', 'the helper'])(
      'SIGKILL of %s leaves no program',
      { timeout: long_ms },
      async (who) => {
        const { client, helper, tracers } = await watching();
        killProcess(who === 'the client' ? client.pid : helper);
        const left = (): readonly number[] =>
          [helper, ...tracers, ...tracersOf(helper)].filter(isRunning);
        await expect.poll(left, { timeout: 20_000 }).toEqual([]);
        client.kill('SIGKILL');
        await expect.poll(() => helpersOf(installed), { timeout: 20_000 }).toEqual([]);
      },
    );

    test('other arguments are not in the rule', { timeout: long_ms }, () => {
      for (const more of [['doctor'], ['helper', '--read-only'], []]) {
        const words = [sudo, '-n', '--', process.execPath, installed.bundle, ...more];
        const { status, stderr } = spawnSync('/usr/bin/setpriv', [...asNobody, ...words]);
        expect(status).toBe(1);
        expect(String(stderr)).toContain('password is required');
      }
    });

    test('a helper that anybody may change refuses to start', { timeout: long_ms }, async () => {
      const script = `${installed.folder}/scripts/bpftrace/runqlat.bt`;
      chmodSync(script, 0o666);
      const told = await installed.asNobody('--helper', 'sudo', 'read', 'bpf://programs');
      chmodSync(script, 0o644);
      expect(told.stdout + told.stderr).toContain('runqlat.bt');
    });
  },
);

/** systemd's own activation of a socket, with the capabilities of the unit, without systemd as init. */
describe.skipIf(!canInstall || !existsSync(activate) || existsSync(sockets))(
  'through a socket (skipped without root, bpftrace or systemd, and where a helper is installed)',
  () => {
    let installed: Installed;
    let listener: ChildProcess;
    beforeAll(async () => {
      installed = installForTest();
      mkdirSync(sockets, { mode: 0o755 });
      const words = [
        '/usr/bin/setpriv',
        ...ofTheUnit(installed.bundle),
        process.execPath,
        installed.bundle,
        'helper',
      ];
      const accept = ['--accept', '--inetd', '--listen', helper_socket, '--', ...words];
      listener = spawn(activate, accept, { stdio: 'ignore', cwd: '/' });
      await vi.waitUntil(() => existsSync(helper_socket), { timeout: 20_000 });
      chownSync(helper_socket, 0, nobody_uid);
      chmodSync(helper_socket, 0o660);
    });
    afterAll(() => {
      listener.kill('SIGKILL');
      for (const helper of helpersOf(installed)) process.kill(helper, 'SIGKILL');
      rmSync(sockets, { recursive: true, force: true });
      installed.remove();
    });

    tracesAsNobody(() => installed, 'auto');
  },
);
