import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { expectedSeconds, progressLine, withProgress } from '../../src/cli/progress.ts';
import { renderAnswer } from '../../src/cli/render.ts';
import { renderTable } from '../../src/cli/table.ts';
import { isColoured, styleFor, widthOf } from '../../src/cli/terminal.ts';

const rows = [
  {
    pid: 1,
    comm: 'systemd',
    cgroup: '/init.scope',
    cmdline: `/sbin/init ${'x'.repeat(100)}`,
    cpu_pct: 0.5,
  },
  { pid: 4_194_304, comm: 'a', cgroup: '/', cmdline: 'b', cpu_pct: 100 },
];

describe('a table', () => {
  test.each([120, 80, 60])('is at most %i wide', (width) => {
    for (const line of renderTable(rows, width))
      expect(line.length, line).toBeLessThanOrEqual(width);
  });

  test('cuts the longest text first and leaves numbers whole', () => {
    const text = renderTable(rows, 80).join('\n');
    expect(text).toContain('4194304');
    expect(text).toContain('/init.scope');
    expect(text).toMatch(/\/sbin\/init x+…/);
  });

  test('names the columns for which there is no room', () => {
    expect(renderTable(rows, 30).at(-1)).toMatch(/--json: .*cpu_pct/);
  });

  test('is whole where there is no edge', () => {
    expect(renderTable(rows).join('\n')).toContain('x'.repeat(100));
    expect(widthOf({ isTTY: false, columns: 80 })).toBe(Number.POSITIVE_INFINITY);
  });
});

test.each([
  ['a terminal', true, {}, true],
  ['a pipe', false, {}, false],
  ['NO_COLOR on a terminal', true, { NO_COLOR: '1' }, false],
  ['NO_COLOR without a value', true, { NO_COLOR: '' }, true],
  ['FORCE_COLOR without a terminal', false, { FORCE_COLOR: '1' }, true],
  ['FORCE_COLOR=0 on a terminal', true, { FORCE_COLOR: '0' }, false],
  ['FORCE_COLOR against NO_COLOR', false, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
  ['a dumb terminal', true, { TERM: 'dumb' }, false],
])('colours with %s', (_what, isTTY, environment, coloured) => {
  expect(isColoured({ isTTY }, environment)).toBe(coloured);
});

test('colours change nothing but the looks', () => {
  const answer = { summary: ['Fine.'], data: { rows }, warnings: ['careful'], source: '/proc' };
  const coloured = renderAnswer(answer, 80, styleFor(true));
  expect(coloured).toContain('\u001b[');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal takes for colours.
  expect(coloured.replaceAll(/\u001b\[[\d;]*m/g, '')).toBe(
    renderAnswer(answer, 80, styleFor(false)),
  );
});

test('sentences have lines of their own, words share one', () => {
  const data = { actions: ['Do this, or that.', 'Then look again.'], tools: ['perf', 'bpftool'] };
  expect(renderAnswer({ data })).toBe(
    'actions:\n  Do this, or that.\n  Then look again.\ntools: perf, bpftool',
  );
});

describe('progress', () => {
  const terminal = (isTTY: boolean) => {
    const written: string[] = [];
    return { written, isTTY, columns: 80, write: (text: string) => written.push(text) > 0 };
  };
  const until = (isDone: () => boolean) =>
    new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (!isDone()) return;
        clearInterval(timer);
        resolve();
      }, 20);
    });

  test('is shown on a terminal and gone at the end', async () => {
    const screen = terminal(true);
    await withProgress(screen, 'call x', 60, async (tell) => {
      tell('recording');
      await until(() => screen.written.length > 0);
    });
    const [first = ''] = screen.written;
    expect(first.startsWith('\r\u001b[K')).toBe(true);
    expect(first.slice(4)).toMatch(/^call x \[[#-]{20}\] \d+ of 60 s, recording$/);
    expect(screen.written.at(-1)).toBe('\r\u001b[K');
  });

  test('is not shown where the work is short, and never without a terminal', async () => {
    for (const screen of [terminal(true), terminal(false)]) {
      await withProgress(screen, 'call x', null, async () => 'done');
      expect(screen.written).toEqual([]);
    }
  });

  test('has no bar where the length is unknown or passed', () => {
    expect(progressLine('doctor', '', 3.4, null)).toBe('doctor … 3 s');
    expect(progressLine('record', 'writing', 6, 5)).toBe('record … 6 s, writing');
  });

  test('takes the length from what was asked for', () => {
    expect(expectedSeconds('call perf_cpu_profile duration_seconds=7 pid=1', undefined)).toBe(7);
    expect(expectedSeconds('call enable_collection duration_secs=3', undefined)).toBe(3);
    expect(expectedSeconds('record', '9')).toBe(9);
    expect(expectedSeconds('doctor', undefined)).toBeNull();
  });
});

test('a program that reads the output gets no escape, and errors end with the fix', () => {
  const run = (...words: string[]) =>
    spawnSync(process.execPath, ['dist/cli.js', ...words], { encoding: 'utf8', timeout: 60_000 });
  const { stdout, stderr } = run('read', 'stats://aggregated/process?limit=2');
  expect(stdout + stderr).not.toContain('\u001b');
  expect(run('captures', 'remove').stderr.trim().split('\n').at(-1)).toMatch(
    /tracewright captures list/,
  );
});
