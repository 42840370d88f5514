import {
  perfScriptParser,
  type SampleFacts,
  type ScriptTotals,
} from '../../parsers/perf-script/perf-script.ts';
import { type EventFacts, stackProfiles, type TaskDetail } from './profile-builder.ts';
import { type SampleTimesBuilder, sampleTimes, threadNumbers } from './sample-times.ts';
import type { StackProfile } from './stack-profile.ts';

/** Takes the text of perf script piece by piece. */
export type PerfScriptImport = Readonly<{
  push(chunk: Uint8Array): void;
  /** One profile for each event, in the order in which they were met. */
  end(): readonly StackProfile[];
}>;

type Seen = {
  readonly event: string;
  /** Null where the text has no times. */
  first_s: number | null;
  last_s: number | null;
  samples: number;
  with_period: number;
  /** Of all samples; null where they differ. */
  period: number | null;
  readonly times: SampleTimesBuilder | null;
};

/** Periods of these are nanoseconds of CPU time. */
const clocks = /^(?:cpu-clock|task-clock)(?::|$)/;

/**
 * Profiles out of perf script text, weighed by the period where the text has one. `detail`: whether
 * the samples of each name, process or thread are told apart; memory follows what is. `isTimed`: it is
 * kept when each was taken, up to a limit.
 */
export function perfScriptImport(detail: TaskDetail = 'comm', isTimed = false): PerfScriptImport {
  const profiles = stackProfiles(detail);
  const events = new Map<string, Seen>();
  let last: Seen | null = null;
  const threads = isTimed ? threadNumbers() : null;
  const parser = perfScriptParser({
    frame: ({ symbol, module, kind }) =>
      profiles.frame({ name: symbol, module: module === '[unknown]' ? null : module, kind }),
    task: (task) => threads?.of(profiles.task(task), task.tid) ?? profiles.task(task),
    stack: profiles.stack,
    sample(sample) {
      const { stack, event, period, cpu, time_s } = sample;
      const { task, tid } = threads?.get(sample.task) ?? { task: sample.task, tid: 0 };
      if (last?.event !== event) {
        last = events.get(event) ?? firstSeen(sample, isTimed);
        events.set(event, last);
      }
      note(last, sample);
      const number = profiles.add(event, { stack, task, weight: period ?? 1 });
      last.times?.add(number, tid, cpu, time_s);
    },
  });
  return {
    push: parser.push,
    end() {
      const totals = parser.end();
      return profiles.finish((event) => factsOf(event, events.get(event), totals));
    },
  };
}

function firstSeen({ event, time_s, period }: SampleFacts, isTimed: boolean): Seen {
  const times = isTimed ? sampleTimes() : null;
  return { event, first_s: time_s, last_s: time_s, samples: 0, with_period: 0, period, times };
}

function note(seen: Seen, { time_s, period }: SampleFacts): void {
  seen.samples++;
  if (period !== null) seen.with_period++;
  if (period !== seen.period) seen.period = null;
  if (time_s === null) return;
  if (seen.first_s === null || time_s < seen.first_s) seen.first_s = time_s;
  if (seen.last_s === null || time_s > seen.last_s) seen.last_s = time_s;
}

function factsOf(event: string, seen: Seen | undefined, totals: ScriptTotals): EventFacts {
  const { samples = 0, with_period = 0, period = null } = seen ?? {};
  const { first_s = null, last_s = null } = seen ?? {};
  const [odd] = totals.warnings;
  return {
    unit: with_period === 0 ? 'samples' : clocks.test(event) ? 'ns' : 'count',
    period,
    duration_ms: first_s === null || last_s === null ? null : Math.round((last_s - first_s) * 1000),
    lost: totals.lost,
    times: seen?.times?.finish() ?? null,
    warnings: [
      ...(odd
        ? [`${totals.odd_lines} odd lines of perf script; line ${odd.line}: ${odd.reason}.`]
        : []),
      ...(with_period > 0 && with_period < samples
        ? [`${samples - with_period} samples of ${event} say no period and count as 1.`]
        : []),
    ],
  };
}
