import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { tries } from './budget.ts';
import { canKeepZoo, openZoo, unshowable, type Zoo } from './zoo.ts';

vi.setConfig({ testTimeout: 200_000, hookTimeout: 120_000 });

/** Gives a program a terminal and prints what the program prints there. */
const script = '/usr/bin/script';
const hasTerminals = spawnSync(script, ['-qec', 'true', '/dev/null']).status === 0;

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

function onTerminal(words: readonly string[]): Readonly<{ status: number | null; text: string }> {
  const line = [process.execPath, 'dist/cli.js', ...words].map(quoted).join(' ');
  const { status, stdout } = spawnSync(script, ['-qec', line, '/dev/null'], {
    encoding: 'utf8',
    env: { ...process.env, TERM: 'xterm', COLUMNS: '200', NO_COLOR: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 150_000,
    maxBuffer: 1 << 26,
  });
  return { status, text: stdout };
}

/** Colours, and a line that is written again: what this program says to a terminal itself. */
const own =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what it removes
  /\u001b\[(?:0|1|2|3[1-6]|1;3[13])m|\r?\u001b\[2?K|\r/g;

describe.skipIf(!(canKeepZoo && hasTerminals))(
  'on a terminal, among hostile processes (needs root, python3 and script)',
  () => {
    let zoo: Zoo;
    beforeAll(async () => {
      zoo = await openZoo(100);
    });
    afterAll(() => zoo?.close());

    const commands: Readonly<Record<string, (pids: Zoo['pids']) => readonly string[]>> = {
      summary: () => [],
      'one process': ({ crowd }) => ['read', `stats://aggregated/process?pid=${crowd[0]}`],
      'cgroup of a process': ({ grouped }) => [
        ...['call', 'perf_cgroup_summary', `pid=${grouped[1]}`],
      ],
      ...(tries(1, 0) === 1
        ? {
            'processes that begin so': () => [
              'read',
              'stats://aggregated/process?comm=zoo&limit=50',
            ],
            'files of a process': ({ busy }) => [
              ...['call', 'perf_fd_trace', `pid=${busy[1]}`, 'duration_seconds=1'],
              'include_fd_list=true',
            ],
            triage: () => ['call', 'perf_triage', 'mode=quick'],
            'a profile': () => ['call', 'perf_cpu_profile', 'duration_seconds=2'],
            executions: () => ['call', 'perf_exec_trace', 'duration_seconds=2'],
            'the stream': () => ['watch', '--duration', '3'],
            'the stream as JSON': () => ['watch', '--duration', '3', '--json'],
          }
        : {}),
    };
    test('what is refused shows no control character of it', () => {
      const { status, text } = onTerminal(['call', '\u001b[2J\u202e', 'zoo=\u009b2J']);
      expect(status).toBe(2);
      expect(text).toContain('tracewright: ');
      expect(unshowable(text.replaceAll(own, ''))).toEqual([]);
    });

    test.each(Object.entries(commands))('%s: no control character is printed', (_, wordsFor) => {
      const { status, text } = onTerminal(wordsFor(zoo.pids));
      expect(status, text).toBe(0);
      expect(text).toMatch(/\w+ \w+/);
      expect(unshowable(text.replaceAll(own, ''))).toEqual([]);
    });
  },
);
