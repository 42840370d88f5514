import { perfScript } from '../../allowlist/perf-script.ts';
import { perfScriptParser } from '../../parsers/perf-script/perf-script.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import { type Profile, profileBuilder } from '../analysis/profile.ts';
import type { Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import { sampleTimes, threadNumbers } from '../profiles/sample-times.ts';
import type { SampleTimes } from '../profiles/stack-profile.ts';

/** A recording, read. */
export type RecordedProfile = Readonly<{
  profile: Profile;
  samples: number;
  /** The recording holds more samples than were wanted. */
  cut: boolean;
  /** Time from the first sample to the last; null where there are none. */
  span_ms: number | null;
  /** By share of the profile. */
  times: SampleTimes | null;
  warnings: readonly string[];
}>;

/**
 * Runs perf script over a recording and merges its stacks as they come, the oldest `max_samples` of
 * them (0: all). Source: perf script. EXECUTION_FAILED where perf cannot read the recording.
 */
export async function readRecording(
  ctx: Context,
  path: string,
  max_samples: number,
): Promise<RecordedProfile> {
  const builder = profileBuilder();
  const times = sampleTimes();
  const threads = threadNumbers();
  let samples = 0;
  let first_s: number | null = null;
  let last_s: number | null = null;
  let cut = false;
  const parser = perfScriptParser({
    // Answers are read by people and models: names of C++ templates are cut for them.
    frame: (frame) => builder.symbol({ ...frame, symbol: untrusted(frame.symbol) }),
    task: (task) => threads.of(builder.process(task), task.tid),
    stack: builder.stack,
    sample({ task, stack, cpu, time_s }) {
      cut = max_samples > 0 && samples === max_samples;
      if (cut) return;
      first_s ??= time_s;
      last_s = time_s;
      samples++;
      const { task: process, tid } = threads.get(task);
      times.add(builder.add({ process, stack, cpu, weight: 1 }), tid, cpu, time_s);
    },
  });
  const running = await ctx.start(perfScript(path), {
    onStdoutBytes(bytes) {
      if (cut) return;
      parser.push(bytes);
      if (cut) running.stop();
    },
  });
  const finished = await running.finished;
  const { odd_lines, warnings } = parser.end();
  if (samples === 0 && finished.exit_code !== 0 && !cut) throw unreadable(finished.stderr);
  const incomplete = !cut && finished.stopped_by !== 'exit';
  return {
    profile: builder.finish(),
    samples,
    times: times.finish(),
    cut,
    span_ms: first_s === null || last_s === null ? null : Math.round((last_s - first_s) * 1000),
    warnings: [
      ...(incomplete
        ? [`perf script was ended by its ${finished.stopped_by}: later samples are missing.`]
        : []),
      ...(odd_lines > 0 && !cut
        ? [
            `${odd_lines} odd lines of perf script, the first: ${untrusted(warnings[0]?.reason ?? '')}.`,
          ]
        : []),
      ...ignoredMaps(finished.stderr),
    ],
  };
}

/** perf as root reads the symbols of a JIT only from a map that belongs to root. */
function ignoredMaps(stderr: string): string[] {
  const maps = stderr.matchAll(/File (\/tmp\/perf-\d+\.map) not owned by current user or root/g);
  const paths = [...new Set([...maps].map(([, path = '']) => path))];
  return paths.map(
    (path) =>
      `perf ignores ${path}, which belongs to another user; to name its functions: sudo chown root ${path}, then profile again.`,
  );
}

const unreadable = (stderr: string): TracewrightError =>
  new TracewrightError(
    'EXECUTION_FAILED',
    `perf script could not read the recording: ${untrusted(stderr, 300) || 'it said nothing'}`,
    'Profile again; a recording whose perf was killed cannot be read.',
  );
