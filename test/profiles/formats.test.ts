import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Profile } from 'pprof-format';
import { afterAll, describe, expect, test } from 'vitest';
import { captureText, readCaptureText } from '../../src/profiles/capture-file.ts';
import { flamePicture } from '../../src/profiles/flame-picture.ts';
import { flameSvg } from '../../src/profiles/flame-svg.ts';
import { pprofFile } from '../../src/profiles/pprof-file.ts';
import { readPprof } from '../../src/profiles/read-pprof.ts';
import type { StackProfile } from '../../src/profiles/stack-profile.ts';
import { topFunctions } from '../../src/profiles/top-functions.ts';
import { manyStacks, profileOf } from './sample-profile.ts';

const folder = mkdtempSync(join(tmpdir(), 'tracewright-formats-'));
afterAll(() => rmSync(folder, { recursive: true }));

const samples = profileOf(
  [
    { stack: 'main;work;hash@/usr/lib/libc.so.6', weight: 60 },
    { stack: 'main;read;sys_read_[k]', weight: 25 },
    { stack: 'main', weight: 5, comm: null },
  ],
  { period: 10_101_010, warnings: ['12 samples of idle CPUs are left out.'] },
);
const waits = profileOf(
  [
    { stack: 'main;lock', weight: 5_000_000_000, samples: 12 },
    { stack: 'main;poll', weight: 7, samples: 1 },
  ],
  { event: 'off-CPU', unit: 'ns' },
);

describe('a kept profile', () => {
  test.each([
    ['of samples', samples],
    ['of times', waits],
    ['of 2,000 stacks', manyStacks(2000)],
    ['without a stack', profileOf([])],
  ])('%s is read as it was written', (_name, profile) => {
    expect(readCaptureText(captureText(profile))).toEqual(profile);
  });

  test('that is something else is not read', () => {
    expect(readCaptureText('{"version":2}')).toBeNull();
    expect(readCaptureText(captureText(samples).slice(0, 50))).toBeNull();
  });
});

describe('pprof', () => {
  test('has each sample with its functions, files and task', () => {
    const file = Profile.decode(gunzipSync(pprofFile(waits)));
    const text = (index: number | bigint) => file.stringTable.strings[Number(index)];
    expect(file.sampleType.map(({ type, unit }) => [text(type), text(unit)])).toEqual([
      ['samples', 'count'],
      ['off-CPU', 'nanoseconds'],
    ]);
    expect(file.sample.map(({ value }) => value.map(Number))).toEqual([
      [12, 5_000_000_000],
      [1, 7],
    ]);
    expect(file.sample[0]?.label.map(({ key }) => text(key))).toEqual(['comm', 'pid', 'tid']);
  });

  test.each([
    ['samples', samples],
    ['times', waits],
    ['many stacks', manyStacks(3000)],
  ])('of %s has the same functions after a way there and back', (_name, profile) => {
    const back = readPprof(pprofFile(profile));
    expect(back.total).toBe(profile.total);
    expect(back.unit).toBe(profile.unit);
    const weights = (each: StackProfile) =>
      new Map(
        topFunctions(each, 'self').map(({ frame, self, total }) => [frame.name, [self, total]]),
      );
    expect(weights(back)).toEqual(weights(profile));
  });

  const noGo = spawnSync('go', ['version']).error !== undefined;

  test.skipIf(noGo)(
    `is read by go tool pprof, with the same totals${noGo ? ' (needs go)' : ''}`,
    // Go builds its tools when they are first asked for.
    { timeout: 300_000 },
    () => {
      const path = join(folder, 'profile.pb.gz');
      writeFileSync(path, pprofFile(samples));
      const top = execFileSync('go', ['tool', 'pprof', '-top', '-nodecount=10', path], {
        encoding: 'utf8',
        env: { ...process.env, PPROF_TMPDIR: folder, GOPROXY: 'off' },
      });
      expect(top).toContain('Type: samples');
      expect(top).toMatch(/accounting for 90, 100% of 90 total/);
      expect(top).toMatch(/^\s*60 66\.67% 66\.67%\s+60 66\.67%\s+hash/m);
      expect(top).toMatch(/\s90\s+100%\s+main$/m);
    },
  );

  test.each([
    ['nothing', new Uint8Array()],
    ['a torn gzip', pprofFile(samples).slice(0, 60)],
    ['text', new TextEncoder().encode('main;work 12\n')],
  ])('refuses %s', (_name, bytes) => {
    expect(() => readPprof(bytes)).toThrow('no profile of pprof');
  });
});

test('a flame graph of 100,000 distinct stacks has at most 5 MB and takes little time', () => {
  const many = manyStacks(100_000);
  expect(new Set(many.stacks.map(({ comm, frames }) => `${comm} ${frames.join()}`)).size).toBe(
    100_000,
  );
  const started = performance.now();
  const svg = flameSvg(flamePicture(many, 'many'), { max_bytes: 5_000_000 });
  const took_ms = performance.now() - started;
  expect(Buffer.byteLength(svg)).toBeLessThanOrEqual(5_000_000);
  // 0.7 s on two CPUs at rest; the suite shares them.
  expect(took_ms).toBeLessThan(10_000);
});

test('a flame graph is cut to the size asked for, heaviest calls first', () => {
  const svg = flameSvg(flamePicture(manyStacks(20_000), 'many'), { max_bytes: 200_000 });
  expect(Buffer.byteLength(svg)).toBeLessThanOrEqual(200_000);
  expect(svg).toContain('>task_');
  expect(svg).toMatch(/\d+ small calls are merged or left out/);
});
