import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { bpftoolShow } from '../../allowlist/bpftool.ts';
import { programs } from '../../allowlist/programs.ts';
import { parseBpftoolLink } from '../../parsers/bpftool-link/bpftool-link.ts';
import { parseBpftoolProg } from '../../parsers/bpftool-prog/bpftool-prog.ts';
import { findProgram } from '../../src/exec/resolve-program.ts';
import { run } from '../../src/exec/start.ts';
import type { connect } from '../server/stdio.ts';
import { dice, figure, tries } from './budget.ts';
import { type Family, familyOf, isAlive, naming } from './family.ts';
import { canUseSudo, type Route, rootRoute, sudoRoute } from './routes.ts';

const needed = [programs.perf, programs.bpftool, programs.bpftrace];
const able = process.geteuid?.() === 0 && needed.every((each) => !('problem' in findProgram(each)));

const spin = 'while True:\n    sum(range(1000))\n';
const captures: readonly Readonly<{ name: string; args: object }>[] = [
  { name: 'start_perf_profiling', args: { duration_secs: 60, pid: process.pid } },
  { name: 'perf_cpu_profile', args: { duration_seconds: 20 } },
  { name: 'perf_runq_latency', args: { duration_seconds: 20 } },
  { name: 'control_event_tracking', args: { action: 'start' } },
  { name: 'record_trace', args: { duration_seconds: 20 } },
  { name: 'read_resource', args: { uri: 'bpf://programs?stats_ms=5000' } },
  { name: 'profile_code', args: { code: spin, cpu_only: true, timeout: 20 } },
];

/** "40-79": these kills alone. Each is the same in every run. */
const [, first, last] = /^(\d+)-(\d+)$/.exec(process.env['TRACEWRIGHT_KILLS'] ?? '') ?? [];
const from = Number(first ?? 0);
const kills = Array.from(
  { length: last === undefined ? tries(200, 9) : Number(last) + 1 - from },
  (_, index) => from + index,
);
/** A busy machine takes long to end a program; nothing waits so long that is not stuck. */
const patience_ms = 40_000;

const settings = [
  'kernel/bpf_stats_enabled',
  'kernel/ftrace_enabled',
  'kernel/kptr_restrict',
  'kernel/perf_event_paranoid',
  'kernel/sched_schedstats',
  'kernel/task_delayacct',
  'kernel/unprivileged_bpf_disabled',
];
/** What of the host a capture may use and has to leave as it was; a setting that it lacks is empty. */
function hostState(): string {
  const read = (path: string): string => {
    try {
      return readFileSync(path, 'utf8').trim();
    } catch {
      return '';
    }
  };
  const mounts = read('/proc/self/mounts').split('\n');
  return [
    ...settings.map((name) => `${name} ${read(`/proc/sys/${name}`)}`),
    ...mounts.filter((line) => / (?:tracefs|debugfs|bpf) /.test(line)),
  ].join('\n');
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + patience_ms;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`${what}: not after ${patience_ms} ms`);
    await delay(50);
  }
}

/** Which of these ids the kernel still has. */
async function left({ programs: own, links }: Family): Promise<number> {
  const [shown, linked] = [await run(bpftoolShow('prog')), await run(bpftoolShow('link'))];
  const { programs: now } = parseBpftoolProg(shown.stdout).data;
  const { links: linksNow } = parseBpftoolLink(linked.stdout);
  return (
    now.filter(({ id }) => own.has(id)).length + linksNow.filter(({ id }) => links.has(id)).length
  );
}

/** Watches what the server starts, for a random time after it has started something. */
async function watch(pid: number, time_ms: number, answered: () => boolean): Promise<Family> {
  const family: Family = { processes: new Map(), programs: new Set(), links: new Set(), events: 0 };
  await until('a process of the server', () => {
    familyOf(pid, family);
    // A host that cannot capture this says so, and starts nothing.
    return family.processes.size > 1 || answered();
  });
  const end = Date.now() + time_ms;
  while (Date.now() < end) {
    familyOf(pid, family);
    await delay(40);
  }
  return family;
}

describe.skipIf(!able)('killed at a random moment (needs root, perf, bpftool and bpftrace)', () => {
  const room = mkdtempSync(join(tmpdir(), 'tracewright-kills-'));
  const routes: Route[] = [];
  const seen = { processes: 0, programs: 0, links: 0, events: 0, swept: 0, kills: 0, helpers: 0 };
  const [ownPids, helperPids] = [new Set<number>(), new Set<number>()];
  let server: ReturnType<typeof connect> | null = null;
  beforeAll(() => {
    routes.push(rootRoute(room));
    if (canUseSudo) routes.push(sudoRoute());
  });
  afterEach(() => {
    server?.child.kill('SIGKILL');
  });
  afterAll(() => {
    for (const route of routes) route.remove();
    rmSync(room, { recursive: true, force: true });
    figure(
      `${seen.kills} kills during captures (${seen.helpers} of them with a helper): ` +
        `${seen.processes} processes, ${seen.programs} BPF programs, ${seen.links} BPF links and ` +
        `${seen.events} perf events were ours, none is left; ${seen.swept} temporary folders of ` +
        'who was killed with SIGKILL go with the next start; settings and mounts are as before',
    );
  });

  test.each(kills)('kill %i leaves nothing', { timeout: 200_000 }, async (index) => {
    const roll = dice(1000 + index);
    const oneOf = <T>(list: readonly T[]): T => {
      const chosen = list[Math.floor(roll() * list.length)];
      if (chosen === undefined) throw new Error('nothing to choose from');
      return chosen;
    };
    const before = hostState();
    const { name, args } = oneOf(captures);
    const signal = oneOf(['SIGKILL', 'SIGTERM'] as const);
    const whom = oneOf(['server', 'server', 'other'] as const);
    const route = roll() < 0.3 ? (routes[1] ?? routes[0]) : routes[0];
    server = route?.start() ?? null;
    const ended = new Promise((resolve) => server?.child.once('exit', resolve));
    const pid = server?.child.pid ?? 0;
    let isAnswered = false;
    void server?.call(name, args).then(() => {
      isAnswered = true;
    });
    const family = await watch(pid, roll() * 2500, () => isAnswered);
    const others = [...family.processes.keys()].filter((each) => each !== pid);
    const victim = whom === 'server' || others.length === 0 ? pid : oneOf(others);
    try {
      if (victim > 1) process.kill(victim, signal);
    } catch {
      // It has just ended by itself.
    }
    if (victim !== pid) server?.close();
    await Promise.race([ended, delay(patience_ms)]);
    seen.kills += 1;
    seen.helpers += route === routes[0] ? 0 : 1;
    seen.processes += family.processes.size;
    seen.programs += family.programs.size;
    seen.links += family.links.size;
    seen.events += family.events;

    const what = `${signal} of ${victim === pid ? 'the server' : victim} in ${name}`;
    await until(`${what}: processes`, () => ![...family.processes].some(isAlive));
    await until(`${what}: processes that name our folders`, () => naming(room).length === 0);
    await until(`${what}: BPF programs and links`, async () => (await left(family)) === 0);
    await until(`${what}: settings and mounts`, () => hostState() === before);
    const pids = new Set(family.processes.keys());
    for (const each of pids) (route === routes[0] ? ownPids : helperPids).add(each);
    const kept = (): readonly string[] => route?.folders(pids) ?? [];
    if (signal === 'SIGKILL') seen.swept += kept().length;
    else await until(`${what}: temporary folders`, () => kept().length === 0);
  });

  test('what SIGKILL left goes with the next start', { timeout: 120_000 }, async () => {
    for (const [index, route] of routes.entries()) {
      const pids = index === 0 ? ownPids : helperPids;
      server = route.start();
      const ended = new Promise((resolve) => server?.child.once('exit', resolve));
      await server.call('start_perf_profiling', { duration_secs: 1 });
      expect(route.folders(pids)).toEqual([]);
      server.close();
      await ended;
    }
  });
});
