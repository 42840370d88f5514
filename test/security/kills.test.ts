import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, expect, test } from 'vitest';
import { bpftoolShow } from '../../allowlist/bpftool.ts';
import { programs } from '../../allowlist/programs.ts';
import { parseBpftoolProg } from '../../parsers/bpftool-prog/bpftool-prog.ts';
import { findProgram } from '../../src/exec/resolve-program.ts';
import { run } from '../../src/exec/start.ts';
import { connect } from '../server/stdio.ts';
import { dice, figure, tries } from './budget.ts';
import { type Family, familyOf, isAlive } from './family.ts';

const needed = [programs.perf, programs.bpftool, programs.bpftrace];
const able = process.geteuid?.() === 0 && needed.every((each) => !('problem' in findProgram(each)));

const captures: readonly Readonly<{ name: string; args: object }>[] = [
  { name: 'start_perf_profiling', args: { duration_secs: 60, pid: process.pid } },
  { name: 'perf_cpu_profile', args: { duration_seconds: 20 } },
  { name: 'perf_runq_latency', args: { duration_seconds: 20 } },
  { name: 'control_event_tracking', args: { action: 'start' } },
  { name: 'record_trace', args: { duration_seconds: 20 } },
  { name: 'read_resource', args: { uri: 'bpf://programs?stats_ms=5000' } },
];

const rounds = tries(200, 12);
/** A busy machine takes long to end a program; nothing waits so long that is not stuck. */
const patience_ms = 40_000;
const roll = dice(3);
const oneOf = <T>(list: readonly T[]): T => {
  const chosen = list[Math.floor(roll() * list.length)];
  if (chosen === undefined) throw new Error('nothing to choose from');
  return chosen;
};

const room = mkdtempSync(join(tmpdir(), 'tracewright-kills-'));
const before = process.env['TMPDIR'];
const seen = { processes: 0, programs: 0, swept: 0, kills: 0 };
let server: ReturnType<typeof connect> | null = null;
afterEach(() => {
  server?.child.kill('SIGKILL');
});
afterAll(() => {
  rmSync(room, { recursive: true, force: true });
  figure(
    `${seen.kills} kills during captures: ${seen.processes} processes and ${seen.programs} BPF programs ` +
      `were ours, none is left; ${seen.swept} temporary folders of servers that were killed with ` +
      'SIGKILL went with the next start; kernel.bpf_stats_enabled is as before',
  );
});

/** The server keeps what it writes below `room`. */
function start(): ReturnType<typeof connect> {
  process.env['TMPDIR'] = room;
  try {
    return connect(['mcp', '--daemon', '--state-dir', join(room, 'state')]);
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + patience_ms;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`${what}: not after ${patience_ms} ms`);
    await delay(50);
  }
}

const ownFolders = (): string[] =>
  readdirSync(room).filter((name) => name.startsWith('tracewright-'));

const statsEnabled = (): string =>
  readFileSync('/proc/sys/kernel/bpf_stats_enabled', 'utf8').trim();

async function programsNow(): Promise<ReadonlySet<number>> {
  const { stdout } = await run(bpftoolShow('prog'));
  return new Set(parseBpftoolProg(stdout).data.programs.map(({ id }) => id));
}

/** Watches what the server starts, for a random time after it has started something. */
async function watch(pid: number, answered: () => boolean): Promise<Family> {
  const family: Family = { processes: new Map(), programs: new Set() };
  await until('a process of the server', () => {
    familyOf(pid, family);
    // A host that cannot capture this says so, and starts nothing.
    return family.processes.size > 1 || answered();
  });
  const end = Date.now() + roll() * 4000;
  while (Date.now() < end) {
    familyOf(pid, family);
    await delay(40);
  }
  return family;
}

test.skipIf(!able).each(Array.from({ length: rounds }, (_, index) => index))(
  'kill %i leaves no process, BPF program or setting (needs root, perf, bpftool and bpftrace)',
  async () => {
    const stats_before = statsEnabled();
    const { name, args } = oneOf(captures);
    const signal = oneOf(['SIGKILL', 'SIGTERM'] as const);
    const whom = oneOf(['server', 'server', 'tracer'] as const);
    server = start();
    const ended = new Promise((resolve) => server?.child.once('exit', resolve));
    const pid = server.child.pid ?? 0;
    const answer = server.call(name, args);
    let isAnswered = false;
    void answer.then(() => {
      isAnswered = true;
    });
    const family = await watch(pid, () => isAnswered);
    const others = [...family.processes.keys()].filter((each) => each !== pid);
    try {
      process.kill(whom === 'server' ? pid : oneOf(others), signal);
    } catch {
      // It has just ended by itself.
    }
    if (whom === 'tracer') server.close();
    await Promise.race([ended, delay(patience_ms)]);
    seen.kills += 1;
    seen.processes += family.processes.size;
    seen.programs += family.programs.size;

    await until(`${name}: processes`, () => ![...family.processes].some(isAlive));
    await until(`${name}: BPF programs`, async () => {
      const now = await programsNow();
      return ![...family.programs].some((id) => now.has(id));
    });
    await until(`${name}: kernel.bpf_stats_enabled`, () => statsEnabled() === stats_before);
    if (signal === 'SIGKILL' && whom === 'server') seen.swept += ownFolders().length;
    else expect(ownFolders().filter((each) => each.includes(`-${pid}-`))).toEqual([]);
  },
  200_000,
);

test.skipIf(!able)(
  'what SIGKILL left goes with the next start (needs root and perf)',
  async () => {
    server = start();
    const pid = server.child.pid ?? 0;
    await server.call('start_perf_profiling', { duration_secs: 1 });
    expect(ownFolders().filter((name) => !name.includes(`-${pid}-`))).toEqual([]);
    const ended = new Promise((resolve) => server?.child.once('exit', resolve));
    server.close();
    await ended;
    expect(ownFolders()).toEqual([]);
  },
  120_000,
);
