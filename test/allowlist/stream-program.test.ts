import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { InsertProbe } from '../../allowlist/dsq-program.ts';
import { type StreamSettings, streamParameters } from '../../allowlist/stream-parameters.ts';
import {
  composeStreamProgram,
  type StreamPart,
  streamFragments,
} from '../../allowlist/stream-program.ts';
import { isRare } from '../../parsers/stream/rare-records.ts';

const folder = 'scripts/bpftrace/stream';
const shipped = (name: string): string => readFileSync(`${folder}/${name}.bt`, 'utf8');
const compose = (...parts: readonly StreamPart[]): string =>
  composeStreamProgram(parts, shipped, true);

const settings: StreamSettings = {
  own_tgid: 4242,
  pid: null,
  tgid: null,
  cpu: null,
  comm: null,
  min_latency_us: null,
  sample: 1,
  offsets: {
    task_comm: 1,
    task_exit_code: 2,
    task_flags: 3,
    prev_comm: 4,
    next_comm: 5,
    wakeup_comm: 6,
    migrate_comm: 7,
    migrate_comm_loc: 8,
    exec_filename_loc: 9,
    ipi_cpumask_loc: 10,
  },
  cpus: 2,
  samples_hz: 99,
  alerts: { latency_us: 1000, in_a_row: 15, moves: 8, moves_window_ms: 7000 },
};

/** What bpftrace is to run, without comments. */
const code = (program: string): string => program.replace(/^\s*\/\/.*\n/gm, '');

describe('the shipped programs', () => {
  const names = readdirSync(folder).map((file) => file.replace(/\.bt$/, ''));

  test('are the fragments, the buffers and the frame, and no other', () => {
    expect(names.sort()).toEqual([...streamFragments, 'buffer', 'buffer-dsq', 'frame'].sort());
  });

  test.each(names)('%s.bt says how to run it, what it emits, needs and costs', (name) => {
    const head = shipped(name).split('\n\n')[0] ?? '';
    expect(head).toMatch(new RegExp(`^#!/usr/bin/env bpftrace\n// ${name}\\.bt  `));
    for (const part of ['usage:', 'emits:', 'needs:', 'cost:'])
      expect(head).toContain(`// ${part}`);
    expect(head).toContain(`usage:   ${name}.bt`);
  });

  test.each(names)('%s.bt prints only records that the parser knows, and counts them', (name) => {
    const prints = code(shipped(name)).match(/printf\("[^"]*"/g) ?? [];
    for (const print of prints.filter((each) => !each.includes('#attached'))) {
      const letter = print.charAt('printf("'.length);
      expect(['e', 's', 'N'].includes(letter) || isRare(letter)).toBe(true);
      // A word for a task, or a record, which begins with its time.
      expect(print).toMatch(/^printf\("(?:N(?:\\t%llx){3}|[a-z]\\t%llu\\t.*)\\n"$/);
    }
    expect(prints.length > 0).toBe(/@seen = sum/.test(shipped(name)));
  });

  test.each(names)('%s.bt prints the name of a task as numbers, or escaped', (name) => {
    const text = code(shipped(name));
    expect(text).not.toMatch(/\bstr\(|(?<!->)\bcomm\b/);
    expect(text.match(/->comm\b/g)?.length ?? 0).toBe(
      text.match(/buf\((?:args|\$task)->comm/g)?.length ?? 0,
    );
  });

  test.each(names)('%s.bt reads no parameter that there is not', (name) => {
    const used = [...code(shipped(name)).matchAll(/\$(\d+)/g)].map(([, number]) => Number(number));
    const count = streamParameters(settings).length;
    for (const number of used) expect(number).toBeLessThanOrEqual(count);
  });
});

describe('a composed program', () => {
  test('has each fragment without what it has to be run by hand, and one frame', () => {
    const program = compose({ fragment: 'fork' }, { fragment: 'exit' });
    expect(program.match(/^BEGIN$/gm)).toHaveLength(1);
    expect(program.match(/^END$/gm)).toHaveLength(1);
    expect(program).not.toContain('By hand');
    expect(program).not.toContain('#!');
    expect(program).toContain('tracepoint:task:task_newtask');
    expect(program).toContain('tracepoint:sched:sched_process_exit');
  });

  test('with the tracer itself leaves out a process that there is not, and is closed by its own', () => {
    const parts = [{ fragment: 'sched-switch' }] as const;
    const program = code(composeStreamProgram(parts, shipped, true, true));
    expect(program).toContain('@self = (uint64)4194305;');
    expect(program).toContain('@tracer = (uint64)pid;');
    expect(program).toContain('(uint64)args->pid == @tracer/');
    expect(program).toContain('clear(@tracer);');
    expect(program).not.toContain('@self = (uint64)pid;');
  });

  test('puts records of busy events into buffers, and has no buffer without them', () => {
    const busy = code(compose({ fragment: 'sched-switch' }, { fragment: 'sched-migrate' }));
    expect(busy.match(/@records\[.*\] = \(/g)).toHaveLength(2);
    expect(busy.match(/^interval:ms:\$23$/m)).not.toBeNull();
    expect(compose({ fragment: 'exit' })).not.toContain('@records');
  });

  test('takes each kind of wakeup from its own event', () => {
    const program = compose(
      { fragment: 'sched-wake', event: 'sched_waking' },
      { fragment: 'sched-wake-raw', event: 'sched_wakeup_new' },
    );
    expect(program).toMatch(/^tracepoint:sched:sched_waking$/m);
    expect(program).toMatch(/^rawtracepoint:sched_wakeup_new$/m);
    expect(program.match(/\$kind = \(uint64\)\d/g)).toEqual([
      '$kind = (uint64)2',
      '$kind = (uint64)4',
    ]);
  });

  test('leaves no map for bpftrace to print at its end but the count', () => {
    const every = streamFragments.map((fragment): StreamPart => {
      if (fragment === 'kprobe') return { fragment, function: 'vfs_read', registers: 6 };
      if (fragment === 'perf-sample') return { fragment, raw: true };
      if (fragment === 'sched-wake' || fragment === 'sched-wake-raw') {
        return { fragment, event: 'sched_wakeup' };
      }
      if (fragment === 'dsq-note' || fragment === 'dsq-insert' || fragment === 'alert-dsq') {
        return { fragment, probe: fentry };
      }
      return { fragment };
    });
    const program = code(compose(...every));
    const maps = new Set(program.match(/@[a-z]\w*/g));
    const end = program.slice(program.indexOf('END'));
    for (const map of maps) expect(end.includes(`clear(${map})`)).toBe(map !== '@seen');
  });

  const fentry: InsertProbe = { symbol: 'dispatch_enqueue', by: 'name', kind: 'fentry' };

  test('on 7.3 reaches the inserts into queues by registers', () => {
    const probe: InsertProbe = {
      symbol: 'scx_dispatch_enqueue',
      by: 'register',
      kind: 'kprobe',
      registers: 6,
      positions: { p: 4, dsq: 3, enq_flags: 6 },
    };
    const program = compose({ fragment: 'dsq-insert', probe }, { fragment: 'alert-dsq', probe });
    expect(program.match(/^kprobe:scx_dispatch_enqueue$/gm)).toHaveLength(2);
    expect(code(program)).not.toContain('args->enq_flags');
  });

  test('under a scheduler prints the queues of switches, and other records as ever', () => {
    const program = compose(
      { fragment: 'sched-switch-dsq' },
      { fragment: 'sched-migrate-raw' },
      { fragment: 'dsq-note', probe: fentry },
    );
    expect(program.match(/@queues\[.*\] = \(/g)).toHaveLength(1);
    expect(program.match(/\$q = @queues/g)).toHaveLength(2);
  });

  test('reads no record where bpftrace shows none', () => {
    const parts: StreamPart[] = [{ fragment: 'sched-switch' }, { fragment: 'exec' }];
    const program = code(composeStreamProgram(parts, shipped, false));
    expect(program).not.toMatch(/\(uint64\)args\b(?!->)/);
    expect(program).toContain('(uint64)args->next_pid');
  });

  test('traces the function that is asked for, in both places', () => {
    const program = compose({ fragment: 'kprobe', function: 'tcp_sendmsg', registers: 8 });
    expect(program).toMatch(/^kprobe:tcp_sendmsg$/m);
    expect(program).toContain('"tcp_sendmsg"');
    expect(program).toContain('reg("pc")');
    expect(code(program)).not.toContain('schedule');
  });

  test.each([
    ['text of a program', 'x { system("id") } kprobe:y'],
    ['a line break', 'vfs_read\nBEGIN'],
    ['a wildcard', 'vfs_*'],
    ['nothing', ''],
    ['a lock', '_raw_spin_lock'],
    ['a part of tracing', 'bpf_map_update_elem'],
  ])('refuses %s for a function', (_, name) => {
    expect(() => compose({ fragment: 'kprobe', function: name, registers: 6 })).toThrow(
      /function|traced|takes|part/,
    );
  });

  test('refuses a fragment that lost its marks', () => {
    const part: StreamPart = { fragment: 'sched-wake', event: 'sched_waking' };
    expect(() => composeStreamProgram([part], () => 'BEGIN {}', true)).toThrow(/lacks/);
  });
});

describe('parameters', () => {
  test('say nothing where nothing is filtered', () => {
    const [own, ...rest] = streamParameters(settings);
    expect(own).toBe(4242);
    expect(rest.slice(0, 13)).toEqual([0, 0, 0, 1, ...Array(9).fill(0)]);
  });

  test('tell CPU 0 from no CPU', () => {
    expect(streamParameters({ ...settings, cpu: 0 })[3]).toBe(1);
  });

  test('hold the beginning of a name byte by byte, and which bytes of it count', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 15 }), (comm) => {
        const bytes = Buffer.from(comm);
        fc.pre(bytes.length <= 15 && !bytes.includes(0));
        const words = streamParameters({ ...settings, comm }).slice(6, 14);
        const told = Buffer.alloc(32);
        for (const [index, word] of words.entries()) told.writeUInt32LE(word, 4 * index);
        expect(told.subarray(0, bytes.length)).toEqual(bytes);
        expect(told.subarray(16)).toEqual(
          Buffer.concat([Buffer.alloc(bytes.length, 0xff), Buffer.alloc(16 - bytes.length)]),
        );
      }),
    );
  });

  test.each([['a name of sixteen'], ['\0']])('refuse %j as the beginning of a name', (comm) => {
    expect(() => streamParameters({ ...settings, comm })).toThrow(/15 bytes/);
  });

  test('are numbers that bpftrace takes, on any host', () => {
    for (const cpus of [1, 2, 64, 8192]) {
      for (const value of streamParameters({ ...settings, cpus })) {
        expect(Number.isInteger(value) && value >= 0 && value < 2 ** 32).toBe(true);
      }
    }
  });

  test('have the buffers of two CPUs looked at within each of their turns', () => {
    const [, interval_ms = 0] = streamParameters(settings).slice(21, 23);
    expect(interval_ms).toBeGreaterThan(0);
    expect(interval_ms).toBeLessThan(100);
  });
});
