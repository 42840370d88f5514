import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Refused } from '../../allowlist/command.ts';
import { pythonAt, type ScaleneRun, scaleneRun } from '../../allowlist/scalene.ts';
import { usualScalene } from '../usual-scalene.ts';

const plain: ScaleneRun = {
  ...usualScalene,
  interpreter: { program: pythonAt('/usr/bin/python3'), version: [2, 3, 0] },
  target: { script: '/home/me/app.py' },
  args: ['--verbose', '-o', 'x'],
  outfile: '/tmp/tracewright/profile.json',
  environment: {},
  sandbox: { user: { uid: 65_534, gid: 65_534 }, cwd: '/home/me', memory_bytes: 2 ** 30 },
  duration_ms: 60_000,
};
const version = (major: number, minor: number, patch: number): Pick<ScaleneRun, 'interpreter'> => ({
  interpreter: { program: pythonAt('/usr/bin/python3'), version: [major, minor, patch] },
});

test('2.x is asked with its subcommand, and arguments of the program stand behind ---', () => {
  expect(scaleneRun(plain).args).toEqual([
    ...['-m', 'scalene', 'run', '--outfile=/tmp/tracewright/profile.json', '--memory'],
    ...['--no-stacks', '--cpu-sampling-rate=0.01', '/home/me/app.py'],
    ...['---', '--verbose', '-o', 'x'],
  ]);
});

test('1.5 is asked for JSON and for no browser', () => {
  const { args } = scaleneRun({ ...plain, ...version(1, 5, 51) });
  expect(args.slice(0, 5)).toEqual([
    ...['-m', 'scalene', '--cli', '--json', '--outfile=/tmp/tracewright/profile.json'],
  ]);
  expect(args).not.toContain('--no-stacks');
  expect(args).not.toContain('run');
});

test.each([
  [1, 5, 51, true, '--stacks'],
  [2, 1, 0, true, '--stacks'],
  [2, 3, 0, false, '--no-stacks'],
])('stacks in %i.%i.%i: %s is said as %s', (major, minor, patch, stacks, option) => {
  expect(scaleneRun({ ...plain, ...version(major, minor, patch), stacks }).args).toContain(option);
});

test.each([
  [{ memory: false, gpu: false }, ['--cpu-only']],
  [{ memory: true, gpu: true }, ['--memory', '--gpu']],
  [{ memory: false, gpu: true }, ['--gpu']],
])('what is profiled: %o', (choice, options) => {
  expect(scaleneRun({ ...plain, ...choice }).args).toEqual(expect.arrayContaining(options));
});

test('with all files 1.5 leaves out its own, beside what is left out anyway', () => {
  const all = { ...plain, ...version(1, 5, 51), profile_all: true };
  expect(scaleneRun(all).args).toContain('--profile-exclude=dist-packages/scalene');
  expect(scaleneRun({ ...all, profile_exclude: 'vendor' }).args).toContain(
    '--profile-exclude=vendor,dist-packages/scalene',
  );
  expect(scaleneRun({ ...plain, profile_all: true }).args.join()).not.toContain('exclude');
});

describe('is refused', () => {
  test.each<[string, Partial<ScaleneRun>]>([
    ['a script that does not end in .py', { target: { script: '/home/me/app' } }],
    ['a relative script', { target: { script: 'app.py' } }],
    ['a script with ..', { target: { script: '/home/me/../x.py' } }],
    ['a line break in a path', { target: { script: '/home/me/a\nb.py' } }],
    ['a module that is an option', { target: { module: '-c', program_path: '/home/me' } }],
    ['a filter that is an option', { profile_only: '--outfile=/etc/passwd' }],
    ['a NUL in an argument', { args: ['a\0b'] }],
    ['a hundred and one arguments', { args: Array<string>(101).fill('x') }],
    ['a rate of 0', { cpu_sampling_rate: 0 }],
    ['a window of 3 bytes', { allocation_window_bytes: 3 }],
  ])('%s', (_what, wrong) => {
    expect(() => scaleneRun({ ...plain, ...wrong })).toThrow(Refused);
  });
});

test('whatever arguments come, Scalene sees its own options alone', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 20 }), (args) => {
      const clean = args.map((each) => each.replaceAll('\0', ''));
      const made = scaleneRun({ ...plain, args: clean }).args;
      const end = made.indexOf('---');
      expect(made.slice(0, end)).toEqual(scaleneRun(plain).args.slice(0, end));
      expect(made.slice(end + 1)).toEqual(clean);
    }),
  );
});
