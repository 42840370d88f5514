import type { Program } from '../../allowlist/command.ts';
import { pySpies, pySpyRecord } from '../../allowlist/py-spy.ts';
import { type PythonStack, parsePySpy } from '../../parsers/py-spy/py-spy.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { Profile } from '../analysis/profile.ts';
import { heaviestStacks } from '../analysis/profile-idle.ts';
import { type PythonStacks, pythonStacks } from '../analysis/python-stacks.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError, toTracewrightError } from '../errors.ts';
import type { Unavailable } from '../reading.ts';
import { readOnlyObstacle } from './tracing-obstacles.ts';

/** Python's own stacks of a process, while something else profiles it. */
export type AttachedPython = Readonly<{
  method: 'py-spy' | 'perf and the trampoline of Python';
  /** Samples that py-spy could not take; null for perf. */
  failed_samples: number | null;
}> &
  PythonStacks;

export type Attached = Readonly<{ python: AttachedPython } | { obstacle: Unavailable }>;

type Query = Readonly<{ pid: number; duration_ms: number; rate_hz: number }>;

const recording = 'py-spy.txt';
/** Beyond this py-spy takes much of a CPU for itself. */
const most_hz = 200;
const most_bytes = 16 * 1024 * 1024;
const install = 'sudo python3 -m pip install --break-system-packages py-spy';

/** Whether a process is an interpreter of Python. */
export function isPython({ files }: Context, pid: number): boolean {
  const exe = files.link(`/proc/${pid}/exe`) ?? '';
  return /\/(?:python|pypy)[\d.]*(?: \(deleted\))?$/.test(exe);
}

/** Python's stacks by line, from py-spy: it reads them from the memory of the process. */
export async function attachPython(ctx: Context, query: Query, call: Call): Promise<Attached> {
  const refused = readOnlyObstacle(ctx);
  if (refused) return absent(refused.reason, refused.fix);
  const program = pySpies(ctx.python.interpreter).find((each) => !('problem' in ctx.find(each)));
  if (!program) return absent('py-spy is not installed.', install);
  try {
    return await record(ctx, program, query, call);
  } catch (thrown) {
    const { code, message, suggestion } = toTracewrightError(thrown);
    if (code === 'CANCELED') throw thrown;
    return absent(message, suggestion);
  } finally {
    ctx.scratch.remove(recording);
  }
}

async function record(
  ctx: Context,
  program: Program,
  { pid, duration_ms, rate_hz }: Query,
  call: Call,
): Promise<Attached> {
  const command = pySpyRecord({
    program,
    pid,
    duration_s: Math.max(1, Math.round(duration_ms / 1000)),
    rate_hz: Math.min(rate_hz, most_hz),
    output: ctx.scratch.path(recording),
  });
  const { stderr, stdout } = await ctx.run(command, { signal: call.signal });
  const text = Buffer.from(ctx.scratch.readFrom(recording, 0, most_bytes)).toString('utf8');
  if (text === '') throw refusal(ctx, stderr);
  const failed = /Errors: (\d{1,9})/.exec(stdout + stderr)?.[1];
  return {
    python: {
      method: 'py-spy',
      failed_samples: failed === undefined ? null : Number(failed),
      ...pythonStacks(parsePySpy(text).data),
    },
  };
}

function refusal(ctx: Context, stderr: string): TracewrightError {
  if (/Permission denied/i.test(stderr)) {
    return new TracewrightError(
      'PERMISSION_DENIED',
      'py-spy may not read the memory of the process.',
      ctx.uid === 0
        ? 'Give the container of the server the capability SYS_PTRACE.'
        : 'sudo sysctl kernel.yama.ptrace_scope=0 for a process of your own; else: sudo tracewright mcp',
    );
  }
  const last = stderr.split('\n').find((line) => line.startsWith('Error')) ?? stderr;
  return new TracewrightError(
    'EXECUTION_FAILED',
    `py-spy took no sample of it: ${untrusted(last, 200) || 'no thread of it ran'}`,
    'perf_offcpu_profile tells what an idle process waits for.',
  );
}

const absent = (reason: string, fix: string | null): Attached => ({
  obstacle: { what: 'python (lines of the program)', reason, fix },
});

/** Frames that the trampoline of Python 3.12 (-X perf) names for perf: `py::NAME:FILE`. */
export function trampolineStacks(profile: Profile): AttachedPython | null {
  const stacks = heaviestStacks(profile, profile.shares.weights.length).flatMap(
    ({ frames, weight }): PythonStack[] => {
      const named = [...frames].reverse().flatMap((frame) => {
        const [, name, file] = /^py::(.+):(.+)$/.exec(profile.symbols[frame]?.symbol ?? '') ?? [];
        return name === undefined || file === undefined
          ? []
          : [{ function_name: untrusted(name, 120), file: untrusted(file, 300), line: null }];
      });
      return named.length === 0 ? [] : [{ frames: named, samples: weight }];
    },
  );
  if (stacks.length === 0) return null;
  return {
    method: 'perf and the trampoline of Python',
    failed_samples: null,
    ...pythonStacks(stacks),
  };
}
