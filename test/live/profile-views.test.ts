import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { createContext } from '../../src/context.ts';
import { readFolded } from '../../src/profiles/read-folded.ts';
import { readPprof } from '../../src/profiles/read-pprof.ts';
import { callTool } from '../../src/tools/call.ts';
import { perfCpuProfile } from '../../src/tools/host/perf-cpu-profile.ts';
import { perfOffcpuProfile } from '../../src/tools/host/perf-offcpu-profile.ts';
import { profileView } from '../../src/tools/host/profile-view.ts';
import { getPerfResults } from '../../src/tools/scheduler/get-perf-results.ts';
import { startPerfProfiling } from '../../src/tools/scheduler/start-perf-profiling.ts';
import { call } from '../fake-host.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const isRoot = process.geteuid?.() === 0;
const hasPerf = existsSync('/usr/bin/perf');
const why = `${hasPerf ? '' : ' (needs perf)'}${isRoot ? '' : ' (needs root)'}`;

const folder = mkdtempSync(join(tmpdir(), 'tracewright-views-'));
const ctx = createContext({
  ...{ daemon: false, readOnly: false },
  stateFolder: join(folder, 'state'),
  importRoots: [folder],
});
const pids: number[] = [];
afterAll(() => {
  for (const pid of pids) {
    if (existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGKILL');
    rmSync(`/tmp/perf-${pid}.map`, { force: true });
  }
  rmSync(folder, { recursive: true, force: true });
});

async function program(...args: string[]): Promise<number> {
  const script = resolve('test/live/programs/burner.mjs');
  const argv = ['--perf-basic-prof', script, ...args];
  const { pid = 0 } = spawn(process.execPath, argv, { cwd: folder, stdio: 'ignore' });
  pids.push(pid);
  // Until its functions are compiled they have other names.
  await delay(1500);
  return pid;
}

type FunctionRow = Readonly<{ function: string; self_pct: number; total_pct: number }>;

const ask = async (args: object) => await callTool(profileView, args, ctx, call);

async function cpuProfile(pid: number): Promise<string> {
  const args = { pid, duration_seconds: 3, sample_rate_hz: 199 };
  const answer = await callTool(perfCpuProfile, args, ctx, call);
  const { capture_id, flamegraph_file } = Object(answer.data);
  expect(readFileSync(flamegraph_file, 'utf8')).toContain('steady');
  expect(answer.links).toMatchObject([
    { uri: `profiling://captures/${capture_id}/flamegraph.svg`, mimeType: 'image/svg+xml' },
  ]);
  return capture_id;
}

describe.skipIf(why !== '')(`views of what perf recorded${why}`, () => {
  test('the difference of two programs shows first what was planted in one', async () => {
    const pidBefore = await program();
    const before = await cpuProfile(pidBefore);
    process.kill(pidBefore, 'SIGKILL');
    const pidAfter = await program('planted');
    const after = await cpuProfile(pidAfter);
    process.kill(pidAfter, 'SIGKILL');
    const { data, summary } = await ask({ capture: after, view: 'diff', other: before });
    const [first, second] = Object(data).rows;
    expect(first.function).toMatch(/planted/);
    expect(first).toMatchObject({ self_before_pct: 0, within_noise: false });
    expect(first.self_change_pct).toBeGreaterThan(30);
    expect(second.self_change_pct).toBeLessThan(0);
    expect(summary[0]).toMatch(/planted/);
    const picture = await ask({ capture: after, view: 'diff.svg', other: before });
    const svg = readFileSync(Object(picture.data).file, 'utf8');
    const box = /<g><title>[^<]*planted[^<]*<\/title><rect [^>]*fill="(#\w+)"/.exec(svg);
    expect(box?.[1]).toBe('#f55');
  });

  test('a recording reads the same as perf.data and as the text of perf script', async () => {
    const pid = await program();
    const data_file = join(folder, 'recorded data.perf');
    const record = ['record', '-q', '-g', '-F', '199', '-p', String(pid), '-o', data_file];
    execFileSync('perf', [...record, '--', 'sleep', '2'], { stdio: 'ignore' });
    process.kill(pid, 'SIGKILL');
    const script = execFileSync('perf', ['script', '-i', data_file], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    const text_file = join(folder, 'script.txt');
    writeFileSync(text_file, script);
    const [one, two] = [await ask({ capture: data_file }), await ask({ capture: text_file })];
    const samples = script.match(/^\S.*:\s+\d* ?(?:cpu-clock|cycles)\S*:/gm)?.length;
    expect(Object(one.data).samples).toBe(samples);
    const told = ({ data }: typeof one) => {
      const { event, rows } = Object(data);
      return [
        event,
        ...rows.map((row: FunctionRow) => [row.function, row.self_pct, row.total_pct]),
      ];
    };
    expect(Object(two.data).samples).toBe(samples);
    expect(told(two)).toEqual(told(one));
    expect(one.source).toContain('perf.data');
    // What somebody else owns is read by perf as them, not as root.
    chmodSync(folder, 0o755);
    chownSync(data_file, 65_534, 65_534);
    const theirs = await ask({ capture: data_file });
    expect(Object(theirs.data).samples).toBe(samples);
  });

  test('all files of a capture tell the same total', async () => {
    const pid = await program();
    const capture = await cpuProfile(pid);
    process.kill(pid, 'SIGKILL');
    const { data } = await ask({ capture });
    const { total } = Object(data);
    const fileOf = async (view: string): Promise<Buffer> =>
      readFileSync(Object((await ask({ capture, view })).data).file);
    expect(readFolded((await fileOf('folded.txt')).toString()).total).toBe(total);
    expect(readPprof(await fileOf('profile.pb.gz')).total).toBe(total);
    const [{ weights }] = JSON.parse((await fileOf('speedscope.json')).toString()).profiles;
    expect(weights.reduce((sum: number, each: number) => sum + each, 0)).toBe(total);
    expect((await fileOf('flamegraph.svg')).toString()).toContain(`<title>all (${total} samples,`);
  });

  test('get_perf_results names the capture of the profile', async () => {
    const pid = await program();
    await callTool(startPerfProfiling, { pid, freq: 199, duration_secs: 1 }, ctx, call);
    await delay(1500);
    const { data, links } = await callTool(getPerfResults, {}, ctx, call);
    process.kill(pid, 'SIGKILL');
    const { capture_id, total_samples } = Object(data);
    expect(links?.[0]?.uri).toContain(capture_id);
    expect((await ask({ capture: capture_id })).data).toMatchObject({ total: total_samples });
  });

  test('perf_offcpu_profile keeps the time that threads were blocked', async () => {
    const { pid = 0 } = spawn('sh', ['-c', 'while :; do sleep 0.05; done'], { stdio: 'ignore' });
    pids.push(pid);
    const { data } = await callTool(perfOffcpuProfile, { pid, duration_seconds: 2 }, ctx, call);
    process.kill(pid, 'SIGKILL');
    const { capture_id, total_blocked_us } = Object(data);
    const view = Object((await ask({ capture: capture_id })).data);
    expect(view).toMatchObject({ unit: 'ns', event: 'off-CPU' });
    expect(view.total / 1000).toBeCloseTo(total_blocked_us, -2);
  });
});
