import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { foldedText } from '../../src/profiles/folded-text.ts';
import { importerFor, isPerfData } from '../../src/profiles/importers.ts';
import { pprofFile } from '../../src/profiles/pprof-file.ts';
import type { StackProfile } from '../../src/profiles/stack-profile.ts';
import { manyStacks, profileOf } from './sample-profile.ts';

/** Reads a file as an import does, in small pieces. */
function imported(content: string | Uint8Array): {
  format: string;
  profiles: readonly StackProfile[];
} {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const importer = importerFor(bytes.slice(0, 4096));
  if (importer === null) throw new Error('no importer');
  const reader = importer.reader();
  for (let at = 0; at < bytes.length; at += 1000) reader.push(bytes.slice(at, at + 1000));
  return { format: importer.format, profiles: reader.end() };
}

const fixture = (path: string): string => readFileSync(`fixtures/${path}/input.txt`, 'utf8');
const stacksOf = (profile: StackProfile | undefined): readonly string[] =>
  foldedText(profile ?? profileOf([]))
    .split('\n')
    .slice(0, -1);

describe('an import knows its format and reads', () => {
  test('folded stacks, with the marks of frames', () => {
    const { format, profiles } = imported('main;work 7\nmain;read_[k];js_[j] 3\nmain;work 1\n');
    expect(format).toBe('folded stacks');
    expect(stacksOf(profiles[0])).toEqual(['main;read;js 3', 'main;work 8']);
    const kinds = new Map(profiles[0]?.frames.map(({ name, kind }) => [name, kind]));
    expect([kinds.get('read'), kinds.get('js')]).toEqual(['kernel', 'jit']);
  });

  test('folded stacks that it wrote, to the same text', () => {
    const text = foldedText(manyStacks(3000));
    const again = foldedText(imported(text).profiles[0] ?? profileOf([]));
    // One of the two as a message of 10 MB helps nobody.
    expect(again === text).toBe(true);
  });

  test('pprof, gzipped', () => {
    const profile = manyStacks(500);
    const { format, profiles } = imported(pprofFile(profile));
    expect(format).toBe('pprof');
    expect(profiles[0]?.total).toBe(profile.total);
  });

  test('text of perf script, with each event for itself', () => {
    const { format, profiles } = imported(fixture('perf-script/python.k6.18.44.perf-6.1.192'));
    expect(format).toBe('perf script');
    const headers = fixture('perf-script/python.k6.18.44.perf-6.1.192').match(/^\S.*: cpu-clock/gm);
    expect(profiles[0]).toMatchObject({ unit: 'samples', samples: headers?.length });
  });

  test.each([
    'dd-kernel.k6.18.44.perf-6.1.192',
    'node-jit.k6.18.44.perf-6.1.192',
    'sched-switch-default-fields.k6.18.44.perf-6.1.192',
    'pipe-default-fields.k6.18.44.perf-6.1.192',
    'without-stacks.k6.18.44.perf-6.1.192',
    'synthetic-crlf',
  ])('text of perf script like %s', (name) => {
    const { format, profiles } = imported(fixture(`perf-script/${name}`));
    expect(format).toBe('perf script');
    expect(profiles[0]?.total).toBeGreaterThan(0);
  });

  test('a trace of wprof, on CPU, off CPU, wakers and counters apart', () => {
    const { format, profiles } = imported(fixture('wprof/synthetic-documented'));
    expect(format).toBe('wprof JSON');
    expect(profiles.map(({ event, unit, total }) => [event, unit, total])).toEqual([
      ['cpu-clock', 'samples', 2],
      ['off-CPU', 'ns', 5_000_000],
      ['wakeup', 'count', 1],
      ['cpu-cycles', 'count', 1_000_000],
    ]);
    expect(stacksOf(profiles[0])).toEqual(['myapp;main;do_work;step 2']);
    expect(profiles[0]).toMatchObject({ duration_ms: 1000, period: 1e9 / 997 });
  });

  test.each(['hot-function.k6.18.44.bpftrace-0.17.0', 'hot-function.k6.18.44.bpftrace-0.23.2'])(
    'JSON of bpftrace like %s: the maps whose keys are stacks',
    (name) => {
      const { format, profiles } = imported(fixture(`oncpu/${name}`));
      expect(format).toBe('bpftrace JSON');
      expect(profiles[0]?.event).toBe('@user_samples');
      expect(stacksOf(profiles[0])[0]).toMatch(/;hot_inner 4\d$/);
      expect(profiles[0]?.stacks[0]?.pid).toBe(5675);
    },
  );

  test('kernel and user stacks of one key of bpftrace, programs outside', () => {
    const key = '\\n    schedule+1\\n    do_syscall_64+9\\n,\\n    read+2\\n    main+3\\n,bash,12';
    const line = `{"type": "map", "data": {"@off_ns": {"${key}": 15}}}`;
    const [profile] = imported(`${line}\n`).profiles;
    expect(stacksOf(profile)).toEqual(['bash;main;read;do_syscall_64;schedule 15']);
    expect(profile).toMatchObject({ unit: 'ns', total: 15 });
    expect(profile?.stacks[0]).toMatchObject({ comm: 'bash', pid: 12 });
  });

  test('names as one line each, whatever they hold', () => {
    const odd = profileOf([{ stack: 'x', weight: 3 }]);
    const frames = [{ name: 'a\nb 9\u001b[31m', module: null, kind: 'user' as const }];
    const [profile] = imported(pprofFile({ ...odd, frames })).profiles;
    expect(stacksOf(profile)).toEqual(['prog;a b 9 [31m 3']);
  });
});

describe('an import refuses', () => {
  test.each([
    ['an empty file', ''],
    ['prose', 'This is a text of several words.\nAnd more.\n'],
    ['passwords', 'root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/:/bin/sh\n'],
    ['JSON', '{"a": 1}'],
    ['a program', new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0])],
  ])('%s', (_name, content) => {
    expect(() => imported(content)).toThrow();
  });

  test('folded stacks of which most lines are none', () => {
    expect(() => imported('a 1\nb\nc\nd\n')).toThrow('no folded stacks');
  });

  test('a trace of another version of wprof', () => {
    const text = fixture('wprof/synthetic-documented').replace('"3.1"', '"4.0"');
    expect(() => imported(text)).toThrow('version 4.0');
  });
});

test('perf.data is known by its first bytes', () => {
  expect(isPerfData(new TextEncoder().encode('PERFILE2\u0000'))).toBe(true);
  expect(isPerfData(new TextEncoder().encode('PERF'))).toBe(false);
});
