import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'tracewright-cli-profile-'));
afterAll(() => rmSync(folder, { recursive: true }));
const stacks = join(folder, 'stacks.folded');
writeFileSync(stacks, 'prog;main;work 70\nprog;main;read 30\n');
const cli = resolve('dist/cli.js');

function profile(...args: string[]) {
  return spawnSync(
    process.execPath,
    [cli, 'profile', '--state-dir', join(folder, 'state'), ...args],
    { encoding: 'utf8', timeout: 60_000, env: {}, cwd: '/' },
  );
}

test.each([
  ['flame.svg', '<title>work (70 samples, 70 %)</title>'],
  ['flame.html', '<!doctype html>'],
  ['out.folded', 'prog;main;work 70'],
  ['out.json', '"https://www.speedscope.app/file-format-schema.json"'],
])('a recording of another tool is written as %s', (name, part) => {
  const out = join(folder, name);
  const { status, stdout, stderr } = profile(stacks, '--out', out);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(stdout).toContain(`Written: ${out}`);
  expect(readFileSync(out, 'utf8')).toContain(part);
});

test('as pprof it is gzip', () => {
  const out = join(folder, 'out.pb.gz');
  expect(profile(stacks, '--out', out).status).toBe(0);
  expect(readFileSync(out).subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]));
});

test('folded stacks have the options of the stackcollapse programs', () => {
  const text = [
    'prog 10/11 [000] 5.000000: cpu-clock:\n\t    1 sys_read ([kernel.kallsyms])\n',
    'prog 10/12 [000] 5.000001: page-faults:\n\t    1 work (/usr/bin/prog)\n\n',
  ].join('\n');
  const file = join(folder, 'two-events.txt');
  writeFileSync(file, text);
  const out = join(folder, 'options.folded');
  const options = ['event=cpu-clock', 'ids=tid', 'marks=kernel,jit', '--out', out];
  expect(profile(file, ...options).stderr).toBe('');
  expect(readFileSync(out, 'utf8')).toBe('prog-10/11;sys_read_[k] 1\n');
  expect(profile(file, 'event=nothing').stderr).toContain('It has: cpu-clock, page-faults');
  expect(profile(file, 'marks=nonsense').stderr).toContain('marks');
});

test('who profiles a process that waits all the time is sent off the CPU', () => {
  const sleeper = spawn('sleep', ['60'], { stdio: 'ignore' });
  try {
    const { pid = 0 } = sleeper;
    const out = join(folder, 'sleep.svg');
    const { stderr, status } = profile(`pid=${pid}`, 'duration_seconds=1', '--out', out);
    expect(status).toBe(1);
    // Without perf and bpftrace there are no samples, rather than none of it.
    if (stderr.includes('0 samples')) expect(stderr).toContain(`profile offcpu pid=${pid}`);
    else expect(stderr).toContain('tracewright doctor');
  } finally {
    sleeper.kill('SIGKILL');
  }
});

test('as PNG it is a picture', () => {
  const out = join(folder, 'out.png');
  expect(profile(stacks, '--out', out).status).toBe(0);
  expect(readFileSync(out).toString('latin1')).toMatch(/^\x89PNG.*IEND/s);
});

test('--open tells where the flame graph is when there is no screen', () => {
  const { stdout, status } = profile(stacks, '--open');
  expect(status).toBe(0);
  const [, path = ''] = /Open it in a browser \(.*\): (\S+)/.exec(stdout) ?? [];
  expect(readFileSync(path, 'utf8')).toContain('<svg');
});

test('other= writes the difference from an earlier capture', () => {
  const later = join(folder, 'later.folded');
  writeFileSync(later, 'prog;main;work 70\nprog;main;slow 930\n');
  const before = JSON.parse(profile(stacks, '--json').stdout).data.capture_id;
  const out = join(folder, 'diff.svg');
  expect(profile(later, `other=${before}`, '--out', out).status).toBe(0);
  expect(readFileSync(out, 'utf8')).toContain('<title>slow (0 % before, 93 % after, +93)');
});

test('a file that cannot be written is refused before anything is read or measured', () => {
  const state = join(folder, 'untouched');
  for (const out of ['/nonexistent/x.svg', join(stacks, 'x.svg')]) {
    const { status, stderr } = profile(stacks, '--out', out, '--state-dir', state);
    expect(stderr).toContain(`${out} cannot be written`);
    expect(status).toBe(1);
  }
  expect(existsSync(state)).toBe(false);
});

test.each([
  [[stacks, '--out', 'x.bmp'], 2, 'does not tell the format'],
  [['/nonexistent/x'], 2, 'There is no file'],
  [[stacks, 'nonsense=1'], 2, 'nonsense'],
  [['--read-only'], 1, 'nothing is recorded'],
  [[stacks, '--out', '/nonexistent/folder/x.svg'], 1, 'cannot be written'],
])('%j fails with its reason', (args, code, message) => {
  const { status, stderr } = profile(...args);
  expect(stderr).toContain(message);
  expect(status).toBe(code);
});
