import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod/v4';
import { keepRunning } from '../lib/program.ts';
import { type Server, startServer } from '../lib/server.ts';
import { callTool } from '../lib/tool.ts';
import { until } from '../lib/until.ts';

const figure = z.number().nullable();
const Pressure = z.looseObject({ some_window: figure, full_window: figure });
const Summary = z.looseObject({
  cgroup_path: z.string(),
  cgroup_version: z.number(),
  cpu: z.looseObject({
    effective_limit_cores: figure,
    limited_by: z.string().nullable(),
    window: z.looseObject({ usage_cores: figure, limiter_throttled_pct: figure }),
    pressure: Pressure,
  }),
  memory: z.looseObject({
    effective_max_bytes: figure,
    window: z.looseObject({ oom_kills: figure, limit_hits: figure }),
  }),
  io: z.looseObject({
    devices: z.array(z.looseObject({ name: z.string().nullable(), wbytes_per_s: figure })),
    pressure: Pressure,
  }),
  pids: z.looseObject({ current: figure }),
  issues: z.array(z.string()),
  busiest: z.array(z.looseObject({ path: z.string(), usage_cores: figure })).optional(),
});

const root = '/sys/fs/cgroup';
const slice = `${root}/app.slice`;
const group = `${slice}/web@1.service`;
const controllers = '+cpu +memory +io +pids';
const megabyte = 1024 * 1024;
const window_s = 5;

/** Counters of the group with the limit, and how long tasks of the one below waited. */
function kernelSays() {
  const stat = readFileSync(`${slice}/cpu.stat`, 'utf8');
  const pressure = (of: 'cpu' | 'io') => readFileSync(`${group}/${of}.pressure`, 'utf8');
  const number = (text: string, pattern: RegExp): number => Number(pattern.exec(text)?.[1]);
  return {
    at_us: performance.now() * 1000,
    periods: number(stat, /^nr_periods (\d+)$/m),
    throttled: number(stat, /^nr_throttled (\d+)$/m),
    stalled_us: number(pressure('cpu'), /^some .* total=(\d+)$/m),
    io_stalled_us: number(pressure('io'), /^full .* total=(\d+)$/m),
  };
}

const apart = (a: number | null, b: number): number => Math.abs((a ?? Number.NaN) - b);

/** Runs a command line of the shell in the group. */
const within = (command: string) =>
  keepRunning('sh', '-c', `echo $$ > ${group}/cgroup.procs; ${command}`);

describe('cgroups of v2', { timeout: 300_000 }, () => {
  let server: Server;
  before(async () => {
    writeFileSync(`${root}/cgroup.subtree_control`, controllers);
    mkdirSync(slice);
    writeFileSync(`${slice}/cgroup.subtree_control`, controllers);
    mkdirSync(group);
    server = await startServer();
  });
  after(async () => {
    await server.close();
    rmdirSync(group);
    rmdirSync(slice);
  });

  const summary = async (args: Record<string, unknown>) =>
    (
      await callTool(
        server,
        'perf_cgroup_summary',
        { duration_seconds: window_s, ...args },
        Summary,
      )
    ).data;
  const empty = () =>
    until(
      () => readFileSync(`${group}/cgroup.events`, 'utf8'),
      (text) => text.includes('populated 0'),
      60_000,
    );

  test('that a group around them limits to half a CPU are throttled at it', async () => {
    writeFileSync(`${slice}/cpu.max`, '50000 100000');
    const loop = within('while :; do :; done');
    await pause(1500);
    const before = kernelSays();
    const found = await summary({ pid: loop.pid });
    const after = kernelSays();
    const everything = await summary({});
    await loop.stop();
    await empty();
    writeFileSync(`${slice}/cpu.max`, 'max');
    console.log(`half a CPU: ${JSON.stringify(found.cpu.window)}`);
    assert.equal(found.cgroup_path, group);
    assert.equal(found.cgroup_version, 2);
    assert.equal(found.cpu.effective_limit_cores, 0.5);
    assert.equal(found.cpu.limited_by, slice);
    assert.ok(Math.abs((found.cpu.window.usage_cores ?? 0) - 0.5) < 0.06);
    // Our window lies within that of the files: what differs has passed at its edges.
    const took_us = after.at_us - before.at_us;
    const edges_pct = 100 * (1 - (window_s * 1e6) / took_us);
    const periods = after.periods - before.periods;
    const throttled_pct = (100 * (after.throttled - before.throttled)) / periods;
    const stalled_pct = (100 * (after.stalled_us - before.stalled_us)) / took_us;
    console.log(`the kernel: ${throttled_pct} % of ${periods} periods, stalled ${stalled_pct} %`);
    assert.ok(throttled_pct > 0 && stalled_pct > 0);
    const { limiter_throttled_pct } = found.cpu.window;
    const two_periods_pct = 200 / periods;
    assert.ok(apart(limiter_throttled_pct, throttled_pct) <= edges_pct + two_periods_pct);
    assert.ok(apart(found.cpu.pressure.some_window, stalled_pct) <= edges_pct + two_periods_pct);
    // The group and the one around it use the same, and are read one after the other.
    assert.match(everything.busiest?.[0]?.path ?? '', /^\/app\.slice/);
  });

  test('that may write a megabyte a second do, and wait for it', async () => {
    const numbers = readFileSync('/proc/diskstats', 'utf8').match(/(\d+) +(\d+) vda /);
    const disk = `${numbers?.[1]}:${numbers?.[2]}`;
    writeFileSync(`${group}/io.max`, `${disk} wbps=${megabyte}`);
    const file = '/var/tmp/lab-cgroups';
    const writer = within(
      `while :; do dd if=/dev/zero of=${file} bs=64k count=2000 oflag=direct; done`,
    );
    await pause(3000);
    const before = kernelSays();
    const found = await summary({ cgroup_path: '/app.slice/web@1.service' });
    const after = kernelSays();
    await writer.stop();
    writeFileSync(`${group}/io.max`, `${disk} wbps=max`);
    await empty();
    rmSync(file, { force: true });
    const [device] = found.io.devices;
    console.log(`1 MB/s: ${device?.wbytes_per_s} bytes/s, ${JSON.stringify(found.io.pressure)}`);
    assert.equal(device?.name, 'vda');
    assert.ok(Math.abs((device?.wbytes_per_s ?? 0) / megabyte - 1) < 0.25);
    const took_us = after.at_us - before.at_us;
    const edges_pct = 100 * (1 - (window_s * 1e6) / took_us);
    const stalled_pct = (100 * (after.io_stalled_us - before.io_stalled_us)) / took_us;
    console.log(`the kernel: stalled ${stalled_pct} % of ${took_us} us`);
    assert.ok(stalled_pct > 0);
    assert.ok(apart(found.io.pressure.full_window, stalled_pct) <= edges_pct + 4);
    assert.match(found.issues.join(), /waited for I\/O/);
  });

  test('that want more memory than they may have lose processes', async () => {
    writeFileSync(`${group}/memory.max`, String(32 * megabyte));
    const eater = within('while :; do tail /dev/zero; done');
    await pause(3000);
    const found = await summary({ pid: eater.pid });
    await eater.stop();
    await empty();
    console.log(`32 MiB: ${JSON.stringify(found.memory)}`);
    assert.equal(found.memory.effective_max_bytes, 32 * megabyte);
    assert.ok((found.memory.window.oom_kills ?? 0) >= 1);
    assert.ok((found.memory.window.limit_hits ?? 0) >= 1);
    assert.ok((found.pids.current ?? 0) >= 1);
    assert.match(found.issues.join(), /killed for want of memory in this window/);
  });
});
