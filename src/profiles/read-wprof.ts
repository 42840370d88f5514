import { ParseError } from '../../parsers/parsed.ts';
import { parseWprof, type WprofFrame, type WprofKind } from '../../parsers/wprof/wprof.ts';
import { type StackBuilder, stackBuilder } from './stack-builder.ts';
import type { FrameKind, StackProfile } from './stack-profile.ts';

const kinds: Readonly<Record<WprofFrame['kind'], FrameKind>> = {
  kernel: 'kernel',
  user: 'user',
  inlined: 'inlined',
  python: 'jit',
};

const events: Readonly<Record<string, Pick<StackProfile, 'event' | 'unit'>>> = {
  timer: { event: 'cpu-clock', unit: 'samples' },
  offcpu: { event: 'off-CPU', unit: 'ns' },
  waker: { event: 'wakeup', unit: 'count' },
};

/**
 * The stacks of a trace of wprof, a profile for each kind; on-CPU samples first. Idle CPUs are left
 * out of those.
 *
 * @throws ParseError where the text is no such trace, or has no stacks
 */
export function readWprof(text: string): readonly StackProfile[] {
  const trace = parseWprof(text);
  const builders = new Map<WprofKind, StackBuilder>();
  for (const { kind, stack_id, pid, tid, comm, weight, count } of trace.samples) {
    const stack = trace.stacks.get(stack_id);
    if (!stack || (pid === 0 && kind !== 'waker')) continue;
    const builder = builders.get(kind) ?? stackBuilder();
    builders.set(kind, builder);
    const frames = stack.map((frame) =>
      builder.frame({ name: frame.name, module: null, kind: kinds[frame.kind] }),
    );
    const ns = kind === 'offcpu' ? Math.round(weight * 1e9) : weight;
    builder.add(frames, { comm, pid, tid }, ns, count);
  }
  if (builders.size === 0) {
    throw new ParseError('the trace has no stacks: record it with -S timer,offcpu');
  }
  const warnings = trace.warnings.map(({ line, reason }) => `line ${line}: ${reason}`);
  return [...builders]
    .sort(([a], [b]) => order(a) - order(b))
    .map(([kind, builder]) =>
      builder.finish({
        ...(events[kind] ?? { event: kind.replace('pmu ', ''), unit: 'count' }),
        period: kind === 'timer' && trace.timer_freq_hz > 0 ? 1e9 / trace.timer_freq_hz : null,
        duration_ms: trace.duration_s * 1000,
        lost: 0,
        warnings,
      }),
    );
}

const order = (kind: WprofKind): number => {
  const at = ['timer', 'offcpu', 'waker'].indexOf(kind);
  return at < 0 ? 3 : at;
};
