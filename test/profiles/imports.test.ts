import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ofEvent } from '../../src/profiles/event-filter.ts';
import { foldedImport } from '../../src/profiles/folded-import.ts';
import { foldedText } from '../../src/profiles/folded-text.ts';
import { perfScriptImport } from '../../src/profiles/perf-script-profile.ts';
import type { TaskDetail } from '../../src/profiles/profile-builder.ts';
import { readBpftrace } from '../../src/profiles/read-bpftrace.ts';
import type { StackProfile } from '../../src/profiles/stack-profile.ts';

function perfScript(text: string, detail: TaskDetail = 'tid'): readonly StackProfile[] {
  const reading = perfScriptImport(detail);
  reading.push(new TextEncoder().encode(text));
  return reading.end();
}

const header = (comm: string, ids: string, time: string, event: string): string =>
  `${comm}  ${ids}  [000]  ${time}: ${event}: \n`;
const user =
  '\t          14cfd1c work(int) (/usr/bin/app)\n\t          14cfd1d main (/usr/bin/app)\n';
const kernel = '\tffffffff81a8a7a8 do_idle+0x1c ([kernel.kallsyms])\n';

/** Each stack as text: names from the outermost on, with what it weighs. */
const lines = (profile: StackProfile | undefined): readonly string[] =>
  (profile?.stacks ?? []).map(
    ({ frames, weight, samples, comm, pid, tid }) =>
      `${comm} ${pid}/${tid}: ${frames.map((at) => profile?.frames[at]?.name).join(' > ')} = ${weight} of ${samples}`,
  );

describe('perf script text', () => {
  test('becomes one profile for each event', () => {
    const text =
      `${header('app', '10/11', '1.000000', '100 cycles:u')}${user}\n` +
      `${header('app', '10/11', '1.500000', '1 page-faults')}${user}\n` +
      `${header('app', '10/11', '3.000000', '250 cycles:u')}${user}\n`;
    const [cycles, faults] = perfScript(text);
    expect(cycles).toMatchObject({ event: 'cycles:u', unit: 'count', total: 350, samples: 2 });
    expect(cycles).toMatchObject({ period: null, duration_ms: 2000 });
    expect(lines(cycles)).toEqual(['app 10/11: main > work(int) = 350 of 2']);
    expect(faults).toMatchObject({ event: 'page-faults', total: 1, samples: 1, period: 1 });
  });

  test('is chosen by the name of an event, with its modifiers or without', () => {
    const text = ['cycles:u', 'cycles:k', 'sched:sched_switch', 'cycles']
      .map((event, at) => `${header('app', '1/1', `1.00000${at}`, event)}${user}\n`)
      .join('');
    const chosen = (event: string) => ofEvent(perfScript(text), event).map((each) => each.event);
    expect(chosen('cycles')).toEqual(['cycles']);
    expect(chosen('sched')).toEqual(['sched:sched_switch']);
    expect(chosen('cycles:k')).toEqual(['cycles:k']);
    expect(chosen('cyc')).toEqual([]);
  });

  test('weighs a clock in nanoseconds where the text has periods, in samples where not', () => {
    const timed = `${header('app', '10/11', '1.000000', '10101010 cpu-clock:pppH')}${user}\n`;
    const bare = `${header('app', '10/11', '1.000000', 'cpu-clock:pppH')}${user}\n`;
    expect(perfScript(timed)[0]).toMatchObject({ unit: 'ns', total: 10_101_010, samples: 1 });
    expect(perfScript(bare)[0]).toMatchObject({ unit: 'samples', total: 1, period: null });
  });

  test('tells threads, processes or names apart', () => {
    const text = ['10/10', '10/11', '20/20']
      .map((ids, at) => `${header('a b (c)', ids, `1.00000${at}`, 'cpu-clock')}${kernel}\n`)
      .join('');
    expect(lines(perfScript(text, 'tid')[0])).toHaveLength(3);
    expect(lines(perfScript(text, 'pid')[0])).toEqual([
      'a b (c) 10/null: do_idle = 2 of 2',
      'a b (c) 20/null: do_idle = 1 of 1',
    ]);
    expect(lines(perfScript(text, 'comm')[0])).toEqual(['a b (c) null/null: do_idle = 3 of 3']);
  });

  test('says what was odd in it', () => {
    const text = `nonsense\n${header('app', '1/1', '1.000000', 'cpu-clock')}${user}\n`;
    expect(perfScript(text)[0]?.warnings).toEqual([
      '1 odd lines of perf script; line 1: not the header of a sample.',
    ]);
  });

  test('keeps samples without a time and a CPU, as of threads recorded on their own', () => {
    const text = `node 12   744   20408163 cpu-clock: \n${user}\nnode 12   744 faults: \n${user}\n`;
    const [clock, faults] = perfScript(text);
    expect(lines(clock)).toEqual(['node 12 null/744: main > work(int) = 20408163 of 1']);
    expect(lines(faults)).toEqual(['node 12 null/744: main > work(int) = 1 of 1']);
    expect(clock?.duration_ms).toBeNull();
  });
});

describe('folded text', () => {
  const frames = [
    'v8::(anonymous namespace)::run(int) (/usr/bin/node)',
    'std::function<void (int)>::operator()(int) const (/usr/bin/app)',
    'main.(*T).f (/srv/go)',
    'net/http.(*conn).serve(0x1) (/srv/go)',
    'Lpkg/Class;::method (/tmp/perf-7.map)',
    'LazyCompile:*x /a/b.js:1 (/tmp/perf-7.map)',
    'a->b->c (/tmp/perf-7.map)',
    '[unknown] (/usr/lib/libc.so.6)',
    '[unknown] ([unknown])',
    'inner (inlined)',
    'operator< (/usr/bin/app)',
  ];
  const textOf = (comm: string): string =>
    `${header(comm, '7/8', '1.0', 'cpu-clock')}${frames.map((each) => `\t          14cfd1c ${each}\n`).join('')}${kernel}\n`;
  const fold = (comm: string, ...options: Parameters<typeof foldedText>[1][]): string =>
    foldedText(perfScript(textOf(comm))[0] ?? expect.unreachable(), ...options);

  test('has tidy names of every kind of program', () => {
    expect(fold('my app')).toBe(
      'my_app;do_idle;operator<;inner;[unknown];[libc.so.6];a;b_[i];c_[i];LazyCompile:*x /a/b.js:1;' +
        'Lpkg/Class:::method;net/http.(*conn).serve;main.(*T).f;std::function<void (int)>::operator;' +
        'v8::(anonymous namespace)::run 1\n',
    );
  });

  test('has the signatures of Java without their L', () => {
    expect(fold('java')).toContain(';pkg/Class:::method;');
  });

  test('is annotated as asked', () => {
    const all = fold('app', { ids: 'tid', kernel: true, jit: true, inlined: true });
    expect(all).toMatch(/^app-7\/8;do_idle_\[k\];operator<;inner_\[i\];/);
    expect(all).toContain('LazyCompile:*x /a/b.js:1_[j];');
    expect(fold('app', { ids: 'pid' })).toMatch(/^app-7;do_idle;/);
  });

  test('comes back as the profile it was made of', () => {
    const text = 'app-?/8;main;[libc.so.6];do_idle_[k] 3\napp-7/9;main;x_[j] 2\n';
    const profile = foldedImport(text, { first: 'comm' });
    expect(profile).toMatchObject({ total: 5, samples: 5, unit: 'samples', warnings: [] });
    expect(lines(profile)).toEqual([
      'app null/8: main > [unknown] > do_idle = 3 of 3',
      'app 7/9: main > x = 2 of 2',
    ]);
    expect(profile.frames.map(({ kind }) => kind).toSorted()).toEqual([
      'jit',
      'kernel',
      'unknown',
      'user',
    ]);
    const again = foldedText(profile, { ids: 'tid', kernel: true, jit: true });
    expect(again.split('\n').toSorted()).toEqual(text.split('\n').toSorted());
  });

  test('keeps the first name as a frame where it is one', () => {
    const profile = foldedImport('main;work 2.5\n\n# comment\nbroken\n', {
      first: 'frame',
      unit: 'ns',
    });
    expect(lines(profile)).toEqual(['null null/null: main > work = 2.5 of 1']);
    expect(profile.warnings).toEqual(['line 4: no count behind a stack.']);
  });
});

describe('stacks of bpftrace', () => {
  test('are read out of keys of any shape', () => {
    const text = [
      '{"type": "attached_probes", "data": {"probes": 1}}',
      '{"type": "map", "data": {"@off_ns": {"\\n    schedule+35\\n    do_syscall_64+9\\n,\\n    nanosleep+101\\n    0x5606\\n,412,413,my app": 7}}}',
      '{"type": "map", "data": {"@on": {"sleep,\\n    spin+1\\n    main+0x2f\\n": 3, "empty,\\n": 2}}}',
      '{"type": "map", "data": {"@plain": {"12": 4}}}',
      '{"type": "lost_events", "data": {"events": 5}}',
    ].join('\n');
    const [off, on, ...others] = readBpftrace(text);
    expect(off).toMatchObject({ event: '@off_ns', unit: 'ns', total: 7, samples: 1, lost: 5 });
    expect(lines(off)).toEqual([
      'my app 412/null: 0x5606 > nanosleep > do_syscall_64 > schedule = 7 of 1',
    ]);
    expect(lines(on)).toEqual(['sleep null/null: main+0x2f > spin = 3 of 3']);
    expect(others).toEqual([]);
  });

  test.each([
    ['bpftrace-0.17.0', 48],
    ['bpftrace-0.23.2', 46],
  ])('of %s add up to the samples that it counted itself', (version, counted) => {
    const file = `fixtures/oncpu/hot-function.k6.18.44.${version}/input.txt`;
    const profiles = readBpftrace(readFileSync(file, 'utf8'));
    const user = profiles.find(({ event }) => event === '@user_samples');
    expect(user).toMatchObject({ total: counted, samples: counted });
    expect(user?.stacks.every(({ pid }) => pid === 5675)).toBe(true);
    const kinds = user?.stacks.flatMap((stack) => stack.frames.map((at) => user.frames[at]?.kind));
    expect(new Set(kinds)).toEqual(new Set(['user']));
  });
});
