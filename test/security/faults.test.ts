import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { run } from '../../src/exec/start.ts';
import { captureStore } from '../../src/store/capture-store.ts';
import { programsForTest } from '../exec/commands.ts';

const programs = programsForTest();
const { command } = programs;
const room = mkdtempSync(join(tmpdir(), 'tracewright-faults-'));
afterAll(() => {
  programs.remove();
  rmSync(room, { recursive: true, force: true });
});

const isRoot = process.geteuid?.() === 0;
const quota = { ttl_ms: 60_000, quota_bytes: 10, max_captures: 2 };

/** Lets each fault of the table happen. */
const faults: Readonly<Record<string, () => unknown>> = {
  'the program is missing': () => run(command('not-there')),
  'root could be given another program in its place': () => {
    chmodSync(join(programs.folder, 'noisy.sh'), 0o777);
    return run(command('noisy'));
  },
  'the program does not end': () => run(command('forever', { duration_ms: 300 })),
  'it ignores SIGINT': () => run(command('ignore-int', { duration_ms: 200 })),
  'it prints without end': () => run(command('flood', { output_bytes: 100_000 })),
  'it leaves processes behind': () => run(command('orphan')),
  'it exits with an error': () => run(command('exit-3')),
  'it stops in the middle of a line': () => run(command('half-line')),
  'the kernel does not start it': () =>
    run(command('arguments', { args: ['x'.repeat(3_000_000)] })),
  'the caller cancels': () => {
    const canceling = new AbortController();
    setTimeout(() => canceling.abort(), 200);
    return run(command('forever'), { signal: canceling.signal });
  },
  'captures are full': () =>
    captureStore(room, () => new Date(), quota).save('python', 'x', { 'a.txt': 'x'.repeat(11) }),
  'the state folder is of others': () => {
    writeFileSync(join(room, 'file'), '');
    return captureStore(join(room, 'file'), () => new Date()).save('python', 'x', {});
  },
};

/** The code of an error; of an answer what ended the program. */
async function outcomeOf(fault: () => unknown): Promise<string> {
  try {
    const answer = await fault();
    return `answer, ${String(Object(answer)['stopped_by'])}`;
  } catch (error) {
    return String(Object(error)['code']);
  }
}

const [, section = ''] =
  /^## Faults$([\s\S]*?)^## /m.exec(readFileSync('SECURITY.md', 'utf8')) ?? [];
const rows = [...section.matchAll(/^\| ([^|]+) \| `([^`]+)`.*\|$/gm)].map(
  ([, fault = '', outcome = '']) => ({ fault: fault.trim(), outcome }),
);

test('SECURITY.md tells of every fault', () => {
  expect(rows.map(({ fault }) => fault)).toEqual(Object.keys(faults));
});

// Others run what they may replace anyway.
const told = rows.filter(({ fault }) => isRoot || !fault.startsWith('root'));
test.each(told)('when $fault the outcome is $outcome', async ({ fault, outcome }) => {
  expect(await outcomeOf(faults[fault] ?? (() => null))).toBe(outcome);
});
