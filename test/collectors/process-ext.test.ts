import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { collectOneProcess } from '../../src/collectors/one-process.ts';
import { collectProcesses } from '../../src/collectors/processes.ts';
import type { Context } from '../../src/context.ts';
import { type FakeProc, fakeProc } from '../fake-proc.ts';
import { fakePrograms } from '../fake-programs.ts';
import { call, steppedContext } from '../stepped-context.ts';

const query = { limit: 20, offset: 0, sort: 'cpu' } as const;
const recorded = readFileSync(
  'fixtures/task-ext/vtime-llc-2cpu.k6.18.15+deb13.bpftrace-0.23.2/input.txt',
  'utf8',
);

let host: FakeProc;
beforeEach(() => {
  host = fakeProc();
});
afterEach(() => host.dispose());

function context(files: Readonly<Record<string, string>>, parts: Partial<Context> = {}): Context {
  for (const [path, text] of Object.entries(files)) {
    const file = join(host.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  const programs = fakePrograms(() => recorded);
  const find = () => ({ path: '/usr/bin/bpftrace' });
  return { ...steppedContext(host.root, []), uid: 0, ...programs, find, ...parts };
}

const enabled = {
  'sys/kernel/sched_ext/state': 'enabled\n',
  'sys/kernel/sched_ext/root/ops': 'lab_vtime\n',
};

/** The task is one of those in the recording; the file of the kernel says whose it is. */
function writeTask(pid: number, ext: 0 | 1): void {
  host.write({ pid });
  const sched = [
    `program (${pid}, #threads: 1)`,
    '-'.repeat(70),
    'se.vruntime                                  :             12.500000',
    'se.slice                                     :              2800000',
    `ext.enabled                                  :                    ${ext}`,
  ];
  writeFileSync(host.path(`${pid}/task/${pid}/sched`), `${sched.join('\n')}\n`);
}

const asked = { ...query, pid: 721, sched_ext: true };

test('a task under sched_ext has its virtual time, the rest of its slice and its queue', async () => {
  writeTask(721, 1);
  const { data, unavailable } = await collectOneProcess(context(enabled), asked, call);
  expect(data.processes[0]).toMatchObject({
    sched_ext: true,
    dsq_vtime: 3_699_728_672,
    ext_slice_ns: 5_000_000,
    dsq_id: '0x64',
    vruntime_ms: null,
    slice_ms: null,
  });
  expect(unavailable?.map(({ what }) => what)).toContain(
    'vruntime_ms, slice_ms of tasks under sched_ext',
  );
});

test('a task of the fair class has those of the fair class alone', async () => {
  writeTask(721, 0);
  const { data } = await collectOneProcess(context(enabled), asked, call);
  const [row] = data.processes;
  expect(row).toMatchObject({
    sched_ext: false,
    dsq_vtime: null,
    vruntime_ms: 12.5,
    slice_ms: 2.8,
  });
  expect(row).not.toHaveProperty('ext_slice_ns');
});

test('a listing says how to ask for it, and asks when it is told to', async () => {
  writeTask(721, 1);
  const without = await collectProcesses(context(enabled), query, call);
  expect(without.data.processes[0]?.dsq_vtime).toBeNull();
  expect(without.unavailable).toContainEqual(
    expect.objectContaining({
      what: 'dsq_vtime',
      fix: 'tracewright read "stats://aggregated/process?sched_ext=true"',
    }),
  );
  const { data } = await collectProcesses(context(enabled), { ...query, sched_ext: true }, call);
  expect(data.processes[0]?.dsq_vtime).toBe(3_699_728_672);
});

test.each([
  ['the kernel has no sched_ext', {}, {}, 'sched_ext, layer_id, dsq_vtime'],
  [
    'no scheduler is loaded',
    { 'sys/kernel/sched_ext/state': 'disabled\n' },
    {},
    'layer_id, dsq_vtime',
  ],
  ['the server is not root', enabled, { uid: 1000 }, 'dsq_vtime, ext_slice_ns, dsq_id'],
] as [string, Record<string, string>, Partial<Context>, string][])(
  'where %s one entry says so',
  async (_why, files, parts, what) => {
    writeTask(721, 0);
    const { data, unavailable } = await collectOneProcess(context(files, parts), asked, call);
    expect(data.processes[0].dsq_vtime).toBeNull();
    const about = unavailable?.filter((entry) => /dsq_vtime/.test(entry.what));
    expect(about).toEqual([expect.objectContaining({ what })]);
  },
);
