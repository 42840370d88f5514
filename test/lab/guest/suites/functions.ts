import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import * as z from 'zod/v4';
import { startIndependent } from '../lib/independent.ts';
import { run } from '../lib/program.ts';
import { type Server, startServer } from '../lib/server.ts';
import { callTool } from '../lib/tool.ts';
import { until } from '../lib/until.ts';

const Latency = z.looseObject({
  returned: z.number(),
  avg_ns: z.number(),
  p50_ns: z.number(),
  p99_ns: z.number(),
  max_ns: z.number(),
});
const Report = z.looseObject({
  functions: z.array(
    z.looseObject({
      function: z.string(),
      module: z.string().nullable(),
      attached: z.string(),
      calls: z.number(),
      latency: Latency.nullable().optional(),
    }),
  ),
  callers: z
    .array(z.looseObject({ comm: z.string(), count: z.number(), stack: z.array(z.string()) }))
    .optional(),
  pattern_matches: z.number().nullable(),
});

/** Functions that the kernel calls a hook of somebody's for at the moment, by their first word. */
const hooked = (): readonly string[] =>
  readFileSync('/sys/kernel/tracing/enabled_functions', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '');

const exec = promisify(execFile);
const python = async (program: string): Promise<void> => {
  await exec('python3', ['-c', program], { timeout: 120_000 });
};

/** Nothing else in the guest asks for priorities. */
const getpriority = '__x64_sys_getpriority';
const calls = 500;
const askForPriorities = `import os\nfor _ in range(${calls}): os.getpriority(os.PRIO_PROCESS, 0)`;
const sleepFor = (ms: number, times: number) =>
  `import time\nfor _ in range(${times}): time.sleep(${ms / 1000})`;

describe('functions of the kernel', { timeout: 600_000 }, () => {
  let server: Server;
  before(async () => {
    server = await startServer();
  });
  after(() => server.close());

  const trace = (args: Record<string, unknown>) =>
    callTool(server, 'trace_kernel_functions', args, Report);

  test('are counted as often as they were called, and as an independent bpftrace counts', async () => {
    const independent = await startIndependent(
      `BEGIN { printf("ready\\n"); } kprobe:${getpriority} { @calls[comm] = count(); }`,
    );
    let said = '';
    const asked = callTool(
      server,
      'trace_kernel_functions',
      { functions: [getpriority], duration_s: 15 },
      Report,
      (message) => {
        said = message;
      },
    );
    const watching = until(
      () => said,
      (message) => /watching/.test(message),
      120_000,
    );
    try {
      await Promise.race([watching, asked]);
      await python(askForPriorities);
    } finally {
      await asked.catch(() => {});
    }
    const { maps } = await independent.finish();
    const { data } = await asked;
    const [row] = data.functions;
    // sudo asks, too, as it starts the helper, before ours is attached.
    const theirs = z.record(z.string(), z.number()).parse(maps.get('@calls'))['python3'];
    console.log(`${getpriority}: ${row?.calls} calls by ${row?.attached}, independently ${theirs}`);
    assert.match(row?.attached ?? '', /^(?:fentry:vmlinux|kprobe):/);
    assert.equal(row?.calls, calls);
    assert.equal(theirs, calls);
  });

  test('are measured from entry to return, for one process', async () => {
    const sleeper = spawn('python3', ['-c', sleepFor(50, 100_000)]);
    const others = spawn('python3', ['-c', sleepFor(5, 100_000)]);
    try {
      const { data } = await trace({
        functions: ['hrtimer_nanosleep'],
        mode: 'latency',
        duration_s: 6,
        pid: sleeper.pid,
      });
      const { latency } = data.functions[0] ?? {};
      assert.ok(latency);
      console.log(`hrtimer_nanosleep for 50 ms: ${JSON.stringify(latency)}`);
      assert.ok(latency.avg_ns >= 50e6, `${latency.avg_ns}`);
      // The bucket of 50 ms is that from 2^25 to 2^26 ns.
      assert.equal(Math.floor(Math.log2(latency.p50_ns)), 25);
      assert.ok(latency.p50_ns <= latency.p99_ns && latency.p99_ns <= latency.max_ns);
      assert.ok(latency.returned >= 60 && latency.returned <= 121, `${latency.returned}`);
    } finally {
      for (const child of [sleeper, others]) {
        child.kill('SIGKILL');
        await once(child, 'close');
      }
    }
  });

  test('tell who calls them, and on which way', async () => {
    const sleeper = spawn('python3', ['-c', sleepFor(20, 100_000)]);
    try {
      const { data } = await trace({
        functions: ['hrtimer_nanosleep'],
        mode: 'stacks',
        duration_s: 4,
      });
      const [most] = data.callers ?? [];
      console.log(`most by ${most?.comm}: ${most?.count} through ${most?.stack.join(' < ')}`);
      assert.equal(most?.comm, 'python3');
      assert.ok(most.stack.includes('__x64_sys_clock_nanosleep'));
      assert.ok(!most.stack.some((each) => /^bpf_|^hrtimer_nanosleep$/.test(each)));
    } finally {
      sleeper.kill('SIGKILL');
      await once(sleeper, 'close');
    }
  });

  test('of a module are traced by kprobe, because fentry is for the kernel itself', async () => {
    const disk = spawn('sh', [
      '-c',
      'while :; do dd if=/dev/vda of=/dev/null bs=4k count=20 iflag=direct 2>/dev/null; sleep 0.2; done',
    ]);
    try {
      const { data } = await trace({
        functions: ['virtblk_done'],
        mode: 'latency',
        duration_s: 5,
      });
      const [row] = data.functions;
      console.log(`virtblk_done: ${row?.calls} calls by ${row?.attached}`);
      assert.equal(row?.module, 'virtio_blk');
      assert.equal(row.attached, 'kprobe:virtblk_done');
      assert.ok(row.calls > 20);
      assert.ok((row.latency?.returned ?? 0) > 20);
    } finally {
      disk.kill('SIGKILL');
      await once(disk, 'close');
    }
  });

  test('fit a pattern, of which ten are traced at most', async () => {
    const { data, warnings } = await trace({ functions: ['tcp_set_*'], duration_s: 1 });
    const listed = await run(
      'grep',
      '-c',
      '^tcp_set_',
      '/sys/kernel/tracing/available_filter_functions',
    );
    assert.equal(data.pattern_matches, Number(listed));
    assert.equal(data.functions.length, Math.min(10, Number(listed)));
    if (Number(listed) > 10) assert.match(warnings.join(), /10 are traced/);
  });

  test('are refused where a probe would hurt, and where there are none', async () => {
    await assert.rejects(trace({ functions: ['_raw_spin_lock'] }), /NOT_ALLOWED.*lock/);
    await assert.rejects(trace({ functions: ['exc_nmi'] }), /NOT_ALLOWED/);
    await assert.rejects(trace({ functions: ['no_such_function'] }), /INVALID_PARAMS.*match=/);
    const [refused] = readFileSync('/sys/kernel/debug/kprobes/blacklist', 'utf8').split('\n');
    const name = refused?.split('\t')[1] ?? '';
    await assert.rejects(trace({ functions: [name] }), /NOT_ALLOWED/);
  });

  test('have no probe any more when the answer is there', async () => {
    assert.ok(!hooked().includes('hrtimer_nanosleep'));
    assert.equal((await run('sh', '-c', 'pgrep -c bpftrace || true')).trim(), '0');
  });
});
