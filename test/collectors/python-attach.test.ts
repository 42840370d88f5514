import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Profile, profileBuilder } from '../../src/analysis/profile.ts';
import { attachPython, isPython, trampolineStacks } from '../../src/collectors/python-attach.ts';
import type { Context } from '../../src/context.ts';
import { ended } from '../ended.ts';
import { call, scriptedContext } from '../fake-host.ts';
import { emptyFolder } from '../fake-topology.ts';

const query = { pid: 7, duration_ms: 2000, rate_hz: 999 };

/** A py-spy that says and writes this, and what it was asked. */
function withSampler(stderr: string, written: string, uid = 0, only = 'py-spy') {
  const asked: (readonly string[])[] = [];
  const parts: Partial<Context> = {
    uid,
    find: ({ name }) =>
      name === only ? { path: `/usr/local/bin/${name}` } : { problem: 'missing', path: null },
    run({ args }) {
      asked.push(args);
      const exit_code = written === '' ? 1 : 0;
      return Promise.resolve({ ...ended, stderr, exit_code, duration_ms: 2000 });
    },
    scratch: {
      path: (name) => `/tmp/tracewright-test/${name}`,
      write: (name) => `/tmp/tracewright-test/${name}`,
      readFrom: () => Promise.resolve(new TextEncoder().encode(written)),
      remove: () => undefined,
    },
  };
  return { ctx: scriptedContext('', [], parts), asked };
}

test.each([
  ['/usr/bin/python3.11', true],
  ['/opt/app/.venv/bin/python', true],
  ['/usr/bin/python3.12 (deleted)', true],
  ['/usr/bin/pypy3', true],
  ['/usr/bin/node', false],
  ['/usr/bin/python3-config', false],
])('a process of %s: is a Python %s', (exe, expected) => {
  const root = emptyFolder();
  mkdirSync(join(root, 'proc/7'), { recursive: true });
  symlinkSync(exe, join(root, 'proc/7/exe'));
  expect(isPython(scriptedContext(root), 7)).toBe(expected);
});

describe('a sampler', () => {
  test('is asked for at most 200 samples a second', async () => {
    const { ctx, asked } = withSampler('', 'hot (/srv/app.py:7) 3\n');
    await attachPython(ctx, query, call);
    expect(asked[0]?.join(' ')).toContain('--rate 200');
  });

  test('tells how many samples it could not take', async () => {
    const { ctx } = withSampler('Samples: 3 Errors: 2', 'hot (/srv/app.py:7) 3\n');
    expect(await attachPython(ctx, query, call)).toMatchObject({
      python: { method: 'py-spy', failed_samples: 2, samples: 3 },
    });
  });

  test('is Austin where py-spy is not there', async () => {
    const written = '# mode: cpu\n\nP7;T0:7;/srv/app.py:<module>:3;/srv/app.py:hot:7 10070\n';
    const { ctx } = withSampler(
      'Error rate : 1/175 (0.57 %) invalid samples',
      written,
      0,
      'austin',
    );
    const attached = await attachPython(ctx, query, call);
    expect(attached).toMatchObject({ python: { method: 'austin', failed_samples: 1, samples: 1 } });
  });

  test.each([
    [1000, /ptrace_scope/],
    [0, /SYS_PTRACE/],
  ])('that may not look (user %i) is unavailable, with what helps', async (uid, fix) => {
    const { ctx } = withSampler('Error: Permission denied (os error 13)', '', uid);
    expect(await attachPython(ctx, query, call)).toEqual({
      obstacle: {
        what: 'python (lines of the program)',
        reason: 'py-spy may not read the memory of the process.',
        fix: expect.stringMatching(fix),
      },
    });
  });

  test('that fails is unavailable with its own words', async () => {
    const { ctx } = withSampler('Error: Failed to find python version from target process', '');
    expect(await attachPython(ctx, query, call)).toMatchObject({
      obstacle: { reason: expect.stringMatching(/Failed to find python version/) },
    });
  });

  test('does not come near a process where the server is read-only', async () => {
    const { ctx, asked } = withSampler('', 'hot (/srv/app.py:7) 3\n');
    const readOnly = { ...ctx, settings: { ...ctx.settings, readOnly: true } };
    expect(await attachPython(readOnly, query, call)).toMatchObject({
      obstacle: { reason: expect.stringMatching(/read-only/) },
    });
    expect(asked).toEqual([]);
  });
});

/** As perf script names the frames of `python3.12 -X perf`, innermost first. */
function profileOf(...stacks: readonly Readonly<{ frames: readonly string[]; weight: number }>[]) {
  const builder = profileBuilder();
  const process = builder.process({ pid: 7, tid: 7, comm: 'python3.12' });
  for (const { frames, weight } of stacks) {
    const stack = Int32Array.from(frames, (symbol) =>
      builder.symbol({ symbol, module: '/tmp/perf-7.map', is_kernel: false, address: '0x0' }),
    );
    builder.add({ process, stack: builder.stack(stack, stack.length), cpu: null, weight });
  }
  return builder.finish() satisfies Profile;
}

describe('the trampoline of Python', () => {
  test('tells functions, with those of the interpreter left out', () => {
    const python = trampolineStacks(
      profileOf(
        {
          frames: ['_PyEval_EvalFrameDefault', 'py::hot:/srv/app.py', 'py::<module>:/srv/app.py'],
          weight: 30,
        },
        { frames: ['_PyEval_EvalFrameDefault'], weight: 5 },
      ),
    );
    expect(python).toMatchObject({ samples: 30, failed_samples: null });
    expect(python?.lines[0]).toEqual({
      function_name: 'hot',
      file: '/srv/app.py',
      line: null,
      self_percent: 100,
      total_percent: 100,
    });
  });

  test('that is off tells nothing', () => {
    expect(trampolineStacks(profileOf({ frames: ['main'], weight: 3 }))).toBeNull();
  });
});
