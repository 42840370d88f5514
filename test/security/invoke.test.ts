import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import * as z from 'zod/v4';
import { type Context, createContext } from '../../src/context.ts';
import { TracewrightError, toTracewrightError } from '../../src/errors.ts';
import type { Finished, Running, StartOptions } from '../../src/exec/start.ts';
import { tools } from '../../src/tools/index.ts';
import { ended } from '../ended.ts';
import { figure, tries } from './budget.ts';
import { hostile } from './hostile-values.ts';
import { unfit } from './unfit.ts';

const runs = Math.ceil(tries(5000, 400) / tools.length);
/** Windows pass at once here; a call that takes so long is stuck. */
const stuck_ms = 60_000;
const room = mkdtempSync(join(tmpdir(), 'tracewright-invoke-'));
const ends = { answers: 0, errors: 0, programs: 0 };
afterAll(() => {
  rmSync(room, { recursive: true, force: true });
  figure(
    `${ends.answers + ends.errors} calls of ${tools.length} tools with arguments that mostly fit ` +
      `their schema: ${ends.answers} answers, ${ends.errors} errors with a code, nothing else; ` +
      `${ends.programs} programs were asked for and none was started`,
  );
});

/** What a program that is none prints, and how it ends. */
const pretences: readonly Readonly<{ stdout: string; rest: Partial<Finished> }>[] = [
  { stdout: '', rest: {} },
  { stdout: 'on\n', rest: { stopped_by: 'deadline' } },
  { stdout: '[]\n', rest: { exit_code: 1, stderr: 'Permission denied' } },
  { stdout: '{"type":"attached_probes","data":{"probes":1}}\n', rest: { stopped_by: 'caller' } },
  { stdout: '\0\u001b[2J {"', rest: { exit_code: null, signal: 'SIGKILL' } },
];

function pretend(number: number, { onStdout, onStdoutBytes }: StartOptions): Running {
  const { stdout, rest } = pretences[number % pretences.length] ?? { stdout: '', rest: {} };
  const finished = (async (): Promise<Finished> => {
    await turn();
    onStdout?.(stdout);
    await onStdoutBytes?.(Buffer.from(stdout));
    await turn();
    return { ...ended, stdout: onStdout || onStdoutBytes ? '' : stdout, ...rest };
  })();
  return {
    pid: 2 ** 22,
    finished,
    stop: () => {},
    printMaps: () => {},
    control: () => {
      throw new TracewrightError('EXECUTION_FAILED', 'It has no pipe.', 'None is needed.');
    },
  };
}

/** The live host, on which no program is started and no time is waited. */
function fakeContext(state: string): Context {
  let now_ms = 1_000_000;
  const settings = {
    daemon: true,
    readOnly: false,
    helper: 'none',
    stateFolder: join(room, state),
    importRoots: [room],
  } as const;
  const ctx = createContext(settings, '', (_command, options = {}) => {
    ends.programs += 1;
    if (ends.programs % 7 !== 0) return Promise.resolve(pretend(ends.programs, options));
    return Promise.reject(new TracewrightError('TOOL_NOT_FOUND', 'It is gone.', 'Install it.'));
  });
  return {
    ...ctx,
    python: { ...ctx.python, roots: [room] },
    monotonicMs: () => now_ms,
    monotonicNs: () => now_ms * 1e6,
    async sleep(ms, signal) {
      now_ms += ms;
      signal?.throwIfAborted();
      await turn();
    },
  };
}

/** Mostly what an argument takes; of a time the shortest, which costs the test the least. */
function likely(property: unknown): fc.Arbitrary<unknown> {
  const { enum: values, type, minimum = 0, maximum = 100 } = Object(property);
  const text = fc.constantFrom('1', 'schedule', 'sched_switch', 'x.py', 'python_00000000', 'top');
  const known: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
    boolean: fc.boolean(),
    integer: fc.constantFrom(minimum, minimum, Math.min(minimum + 1, maximum)),
    number: fc.constantFrom(minimum, (minimum + Math.min(maximum, 1)) / 2),
    array: fc.array(text, { maxLength: 3 }),
    string: text,
  };
  const good = Array.isArray(values) ? fc.constantFrom<unknown>(...values) : known[String(type)];
  return fc.oneof({ weight: 12, arbitrary: good ?? text }, { weight: 1, arbitrary: hostile });
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${stuck_ms} ms`)), stuck_ms);
  });
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

describe('a call gives an answer or an error with a code', () => {
  test.each(tools.map((tool) => [tool.name, tool] as const))(
    '%s',
    async (name, tool) => {
      const { properties = {}, required = [] } = z.toJSONSchema(tool.input, { io: 'input' });
      const fields: Record<string, fc.Arbitrary<unknown>> = {};
      for (const [key, each] of Object.entries(properties)) fields[key] = likely(each);
      const some = fc.record(fields, { requiredKeys: required });
      const ctx = fakeContext(name);
      const check = async (args: unknown): Promise<void> => {
        const { signal } = new AbortController();
        try {
          const reading = await inTime(tool.invoke(args, ctx, { signal, progress: () => {} }));
          ends.answers += 1;
          expect(unfit(reading)).toEqual([]);
          expect(() => tool.output.parse(reading.data)).not.toThrow();
        } catch (thrown) {
          const { code } = toTracewrightError(thrown);
          if (code === 'INTERNAL') throw thrown;
          ends.errors += 1;
        }
      };
      await fc.assert(fc.asyncProperty(some, check), { seed: 17, numRuns: runs });
    },
    600_000,
  );
});
