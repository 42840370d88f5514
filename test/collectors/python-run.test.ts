import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { type PythonOptions, runPython } from '../../src/collectors/python-run.ts';
import { type Context, createContext } from '../../src/context.ts';
import type { Finished } from '../../src/exec/start.ts';
import { ended } from '../ended.ts';
import { usualScalene } from '../usual-scalene.ts';
import { recordedText } from './kept-python.ts';

const options: PythonOptions = {
  ...usualScalene,
  args: [],
  timeout_s: 10,
};

type Attempt = Partial<Finished> & Readonly<{ profile: string | null }>;

/** A Scalene that ends like this, one time after the other, and what it was asked. */
function scripted(...attempts: readonly Attempt[]) {
  const asked: (readonly string[])[] = [];
  const removed: string[] = [];
  const swept: RegExp[] = [];
  let profile: string | null = null;
  const ctx: Context = {
    ...createContext({ daemon: false, readOnly: false }),
    run: () => Promise.resolve({ ...ended, stdout: 'Scalene version 2.3.0 (x)', exit_code: 255 }),
    start({ args }, { onStderr } = {}) {
      const attempt = attempts[asked.length] ?? { profile: null };
      asked.push(args);
      profile = attempt.profile;
      onStderr?.(attempt.stderr ?? '');
      return Promise.resolve({
        pid: 1,
        finished: Promise.resolve({ ...ended, ...attempt }),
        stop: () => {},
        printMaps: () => {},
        control: () => new PassThrough(),
      });
    },
    programUser: () => null,
    workspace: () => ({
      path: '/tmp/tracewright-test/run',
      write: (name) => `/tmp/tracewright-test/run/${name}`,
      read: () => profile,
      sweepShared: (name) => swept.push(name),
      remove: () => removed.push('workspace'),
    }),
  };
  const call = { signal: new AbortController().signal, progress: () => {} };
  const run = (changes: Partial<PythonOptions> = {}) =>
    runPython(ctx, { kind: 'code', text: 'x = 1' }, { ...options, ...changes }, call);
  return { asked, removed, swept, run };
}

const profile = recordedText('cpu-only-nostacks');

test.each([
  ['crashes', { exit_code: 245 }, /the program crashed \(SIGSEGV\)/],
  ['is killed', { exit_code: null, signal: 'SIGBUS' }, /the program crashed \(SIGBUS\)/],
  [
    'meets another Scalene',
    { exit_code: 1, stderr: "No such file or directory: '/tmp/scalene-malloc-signal2'" },
    /while another Scalene does so/,
  ],
])(
  'a run that %s under memory profiling is repeated for the CPU alone',
  async (_what, end, why) => {
    const { asked, run, removed } = scripted({ profile: null, ...end }, { profile });
    const { memory, outcome, warnings } = await run();
    expect(asked.map((args) => args.includes('--memory'))).toEqual([true, false]);
    expect(asked[1]).toContain('--cpu-only');
    expect({ memory, outcome }).toEqual({ memory: false, outcome: 'completed' });
    expect(warnings[0]).toMatch(why);
    expect(removed).toEqual(['workspace']);
  },
);

test('a run of the CPU alone that crashes is not repeated, and its signal is told', async () => {
  const { asked, run, removed } = scripted({ profile: null, exit_code: 250 });
  await expect(run({ memory: false })).rejects.toThrow(/ended with SIGABRT/);
  expect(asked).toHaveLength(1);
  expect(removed).toEqual(['workspace']);
});

test('a profile counts for more than the exit code', async () => {
  const { asked, run } = scripted({ profile, exit_code: 245 });
  expect(await run()).toMatchObject({ outcome: 'exited_with_code', exit_code: 245, memory: true });
  expect(asked).toHaveLength(1);
});

test.each([
  ['too short', { profile: '{}\n', duration_ms: 400 }, /took no sample.*less than a few/],
  ['a run without samples', { profile: '{}\n', duration_ms: 2540 }, /no sample.*run of 2\.5 s/],
  ['HTML', { profile: '<!DOCTYPE html>' }, /wrote HTML where JSON/],
  ['cut', { profile: '{"files": {"a"' }, /its end is missing/],
  [
    'no profile and exit code 0',
    { profile: null },
    /ended with code 0, and Scalene 2.3.0 wrote no/,
  ],
  [
    'a syntax error',
    { profile: null, exit_code: 1, stderr: 'SyntaxError: invalid syntax' },
    /does not compile: SyntaxError: invalid syntax/,
  ],
  ['a source that is not UTF-8', { profile: null, stderr: 'UnicodeDecodeError: x' }, /UTF-8 only/],
  [
    'a program that cannot be read',
    { profile: null, exit_code: 1, stderr: "PermissionError: '/root/x.py'" },
    /cannot be read by the user/,
  ],
  ['the time limit', { profile: null, stopped_by: 'deadline' }, /longer than 10 s.*only by force/],
  ['a caller who gave up', { profile: null, stopped_by: 'canceled' }, /canceled.*before anything/],
] as const)('%s is answered in words of its own', async (_what, end, words) => {
  await expect(scripted(end).run({ memory: false })).rejects.toThrow(words);
});

test.each([
  ['deadline', 'timed_out'],
  ['output_limit', 'output_limit'],
  ['canceled', 'canceled'],
] as const)('what was sampled until the %s is a profile', async (stopped_by, outcome) => {
  const { run, swept } = scripted({ profile, stopped_by, exit_code: null, signal: 'SIGINT' });
  expect(await run()).toMatchObject({ outcome });
  expect('scalene-malloc-lock12').toMatch(swept[0] ?? /^$/);
});

test('a profile without arguments, as 1.5.16 writes it, is complete where the program ended well', async () => {
  const { args: _, ...older } = JSON.parse(profile);
  const { run } = scripted({ profile: JSON.stringify(older) });
  expect(await run()).toMatchObject({ outcome: 'completed', exit_code: 0 });
});

test('the last words of the program have no control characters', async () => {
  const stderr = 'one\u001b[31mtwo\nthree\u0007';
  const { run } = scripted({ profile: null, exit_code: 7, stderr });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  await expect(run({ memory: false })).rejects.toThrow(/^[^\u0000-\u001f]*$/);
});
