import { describe, expect, test } from 'vitest';
import { pythonSettings } from '../src/python-settings.ts';

const { interpreters: _, ...plain } = pythonSettings({ PATH: '/usr/bin' }, '/home/me/app');

test('without settings: the working folder, nothing chosen, never as root', () => {
  expect(plain).toEqual({
    roots: ['/home/me/app'],
    chosen: [],
    timeout_s: null,
    cpu_percent_threshold: null,
    malloc_threshold: null,
    asRoot: false,
  });
});

test('started in / the home folder is the root, not every file of the host', () => {
  expect(pythonSettings({ HOME: '/home/me' }, '/').roots).toEqual(['/home/me']);
  expect(pythonSettings({}, '/').roots).toEqual(['/nonexistent']);
});

test('folders of the command line come instead of the working folder', () => {
  expect(pythonSettings({}, '/srv', { roots: ['/a', '/b'], asRoot: true })).toMatchObject({
    roots: ['/a', '/b'],
    asRoot: true,
  });
});

describe('SCALENE_PYTHON_EXECUTABLE', () => {
  const chosen = (asked: string, PATH = '/usr/local/bin:/usr/bin:relative') =>
    pythonSettings({ SCALENE_PYTHON_EXECUTABLE: asked, PATH }, '/home/me').chosen;

  test('is a path', () => {
    expect(chosen('/opt/python/bin/python3')).toEqual(['/opt/python/bin/python3']);
  });

  test('or a name, looked for in PATH', () => {
    expect(chosen('python3.11')).toEqual(['/usr/local/bin/python3.11', '/usr/bin/python3.11']);
  });

  test('or lies below the working folder', () => {
    expect(chosen('./.venv/bin/python')).toEqual(['/home/me/.venv/bin/python']);
  });

  test('empty is as if it were not there', () => {
    expect(chosen('')).toEqual([]);
  });
});

test.each([
  ['SCALENE_TIMEOUT', 'timeout_s', '30', 30],
  ['SCALENE_TIMEOUT', 'timeout_s', '0', null],
  ['SCALENE_TIMEOUT', 'timeout_s', 'soon', null],
  ['SCALENE_CPU_PERCENT_THRESHOLD', 'cpu_percent_threshold', '2.5', 2.5],
  ['SCALENE_CPU_PERCENT_THRESHOLD', 'cpu_percent_threshold', '101', null],
  ['SCALENE_MALLOC_THRESHOLD', 'malloc_threshold', '4096', 4096],
  ['SCALENE_MALLOC_THRESHOLD', 'malloc_threshold', '-1', null],
] as const)('%s sets %s: %j is %s', (variable, field, text, value) => {
  expect(pythonSettings({ [variable]: text }, '/home/me')[field]).toBe(value);
});
