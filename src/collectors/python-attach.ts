import {
  type FoundSampler,
  type PythonSampler,
  pythonSamplers,
  samplePython,
} from '../../allowlist/python-samplers.ts';
import { parseAustin } from '../../parsers/austin/austin.ts';
import { parsePySpy } from '../../parsers/py-spy/py-spy.ts';
import type { PythonStack } from '../../parsers/python-stack.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { Profile } from '../analysis/profile.ts';
import { heaviestStacks } from '../analysis/profile-idle.ts';
import { type PythonStacks, pythonStacks } from '../analysis/python-stacks.ts';
import type { Call, Context } from '../context.ts';
import { toTracewrightError } from '../errors.ts';
import type { Unavailable } from '../reading.ts';
import { readOnlyObstacle } from './tracing-obstacles.ts';

/** Python's own stacks of a process, while something else profiles it. */
export type AttachedPython = Readonly<{
  method: PythonSampler | 'perf and the trampoline of Python';
  /** Samples that could not be taken; null for perf. */
  failed_samples: number | null;
}> &
  PythonStacks;

export type Attached = Readonly<{ python: AttachedPython } | { obstacle: Unavailable }>;

type Query = Readonly<{ pid: number; duration_ms: number; rate_hz: number }>;

const recording = 'python-stacks.txt';
/** Beyond this a sampler takes much of a CPU for itself. */
const most_hz = 200;
const most_bytes = 16 * 1024 * 1024;
const install = 'sudo python3 -m pip install --break-system-packages py-spy';

/** Whether a process is an interpreter of Python. */
export function isPython({ files }: Context, pid: number): boolean {
  const exe = files.link(`/proc/${pid}/exe`) ?? '';
  return /\/(?:python|pypy)[\d.]*(?: \(deleted\))?$/.test(exe);
}

/** Python's stacks by line, read from the memory of the process by py-spy or Austin. */
export async function attachPython(ctx: Context, query: Query, call: Call): Promise<Attached> {
  const refused = readOnlyObstacle(ctx);
  if (refused) return absent(refused.reason, refused.fix);
  let attached = absent('Neither py-spy nor Austin is installed.', install);
  for (const found of pythonSamplers(ctx.python.chosen)) {
    if ('problem' in ctx.find(found.program)) continue;
    attached = await sample(ctx, found, query, call);
    if ('python' in attached) break;
  }
  return attached;
}

async function sample(
  ctx: Context,
  { sampler, program }: FoundSampler,
  { pid, duration_ms, rate_hz }: Query,
  call: Call,
): Promise<Attached> {
  const command = samplePython({
    sampler,
    program,
    pid,
    duration_s: Math.max(1, Math.round(duration_ms / 1000)),
    rate_hz: Math.min(rate_hz, most_hz),
    output: ctx.scratch.path(recording),
  });
  try {
    const { stderr, stdout } = await ctx.run(command, { signal: call.signal });
    const written = await ctx.scratch.readFrom(recording, 0, most_bytes);
    const text = Buffer.from(written).toString('utf8');
    const { data } = sampler === 'py-spy' ? parsePySpy(text) : parseAustin(text);
    if (data.length === 0) return refusal(ctx, sampler, stderr);
    const failed = /(?:Errors: |Error rate.*?: .*?)(\d{1,9})/.exec(stdout + stderr)?.[1];
    return {
      python: {
        method: sampler,
        failed_samples: failed === undefined ? null : Number(failed),
        ...pythonStacks(data),
      },
    };
  } catch (thrown) {
    const { code, message, suggestion } = toTracewrightError(thrown);
    if (code === 'CANCELED') throw thrown;
    return absent(message, suggestion);
  } finally {
    ctx.scratch.remove(recording);
  }
}

function refusal(ctx: Context, sampler: PythonSampler, stderr: string): Attached {
  if (/Permission denied|permissions/i.test(stderr)) {
    return absent(
      `${sampler} may not read the memory of the process.`,
      ctx.uid === 0
        ? 'Give the container of the server the capability SYS_PTRACE.'
        : 'sudo sysctl kernel.yama.ptrace_scope=0 for a process of your own; else: sudo tracewright mcp',
    );
  }
  const last = stderr.split('\n').find((line) => line.startsWith('Error')) ?? '';
  return absent(
    `${sampler} took no sample of it: ${untrusted(last, 200) || 'no thread of it ran'}.`,
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
