import { TracewrightError } from '../errors.ts';
import type { Finished } from '../exec/start.ts';
import { lastLines, type TextEnds } from './text-ends.ts';

/** How a run ended that brought a profile. */
export type Outcome =
  | 'completed'
  | 'program_failed'
  | 'exited_with_code'
  | 'timed_out'
  | 'output_limit'
  | 'canceled';

export function outcomeOf({ stopped_by, exit_code }: Finished): Outcome {
  if (stopped_by === 'deadline') return 'timed_out';
  if (stopped_by === 'output_limit' || stopped_by === 'canceled') return stopped_by;
  if (exit_code === 0) return 'completed';
  // Python ends with 1 after an exception that nobody caught.
  return exit_code === 1 ? 'program_failed' : 'exited_with_code';
}

export const isPartial = (outcome: Outcome): boolean =>
  outcome === 'timed_out' || outcome === 'output_limit' || outcome === 'canceled';

const signals: Readonly<Record<number, string>> = {
  4: 'SIGILL',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  15: 'SIGTERM',
};

/** The signal that ended a program: Scalene itself then ends with 256 less its number. */
export function crashSignal({ signal, exit_code }: Finished): string | null {
  if (signal !== null) return signal;
  const number = 256 - (exit_code ?? 0);
  return exit_code !== null && number < 65 ? (signals[number] ?? `signal ${number}`) : null;
}

type Attempt = Readonly<{
  finished: Finished;
  raw: string | null;
  problem: string | null;
  version: string;
  stdout: TextEnds;
  stderr: TextEnds;
}>;

type Options = Readonly<{ timeout_s: number; profile_only: string; cpu_sampling_rate: number }>;

/** Why there is no profile, in words of its own for each case, and what helps. */
export function noProfile(attempt: Attempt, options: Options): TracewrightError {
  const { finished, problem, stderr, stdout, version } = attempt;
  if (finished.stopped_by === 'canceled') return canceled(null);
  const said = lastLines(stderr, 5).join(' | ') || lastLines(stdout, 3).join(' | ') || 'nothing';
  if (finished.stopped_by === 'deadline') {
    return new TracewrightError(
      'TIMEOUT',
      `The program ran longer than ${options.timeout_s} s and let itself be ended only by force, so Scalene wrote nothing. It said: ${said}`,
      'Give a larger timeout, or a smaller workload.',
    );
  }
  if (problem !== null) {
    return failed(`Scalene ${version} wrote ${problem}.`, 'Run it again; report this if it stays.');
  }
  const [, name, message] = /(SyntaxError|IndentationError|TabError): ([^|]*)/.exec(said) ?? [];
  if (name) return failed(`The program does not compile: ${name}: ${message}`, 'Correct it.');
  if (/UnicodeDecodeError|failed to initialize(?! memory)/i.test(said)) {
    return failed(
      `Scalene ${version} reads source in UTF-8 only and did not run the program. It said: ${said}`,
      'Save the source as UTF-8.',
    );
  }
  if (/PermissionError|Permission denied/.test(said)) {
    return failed(
      `The program or what it imports cannot be read by the user it runs as. It said: ${said}`,
      'Give that user read permission, or start the server with --python-as-root.',
    );
  }
  if (attempt.raw !== null) return noSample(attempt, options, said);
  const code = crashSignal(finished) ?? `code ${finished.exit_code}`;
  return failed(
    `The program ended with ${code}, and Scalene ${version} wrote no profile. It said: ${said}`,
    'Run the program without a profiler first; its own error comes before ours.',
  );
}

/** What was sampled before a caller gave up is kept where there is some. */
export const canceled = (profile_id: string | null): TracewrightError =>
  new TracewrightError(
    'CANCELED',
    `The caller canceled the run${profile_id === null ? ' before anything was sampled' : `; what was sampled is kept as ${profile_id}`}.`,
    profile_id === null ? 'Call again.' : `analyze_profile with profile_id=${profile_id}`,
  );

/** Python and Scalene have started by then, on a slow machine too. */
const startup_ms = 1000;
/** So many sampling intervals are too many for none of them to meet the program. */
const enough_intervals = 50;

function noSample(
  { finished }: Attempt,
  { profile_only, cpu_sampling_rate }: Options,
  said: string,
): TracewrightError {
  const took_s = Math.round(finished.duration_ms / 100) / 10;
  if (finished.duration_ms > startup_ms + enough_intervals * cpu_sampling_rate * 1000) {
    const filtered = profile_only ? ` that matches profile_only=${profile_only}` : '';
    return failed(
      `Scalene took no sample of code${filtered} in a run of ${took_s} s. It looks at other threads only when the main one gets to run. It said: ${said}`,
      'Call again; if that stays so, run the program by itself and call perf_cpu_profile with its pid.',
    );
  }
  const filtered = profile_only ? ` Nothing matched profile_only=${profile_only}, or it` : ' It';
  return failed(
    `Scalene took no sample.${filtered} ran for less than a few sampling intervals of ${cpu_sampling_rate} s. It said: ${said}`,
    'Repeat the work in a loop, or give cpu_sampling_rate=0.001; check the filters.',
  );
}

const failed = (message: string, suggestion: string): TracewrightError =>
  new TracewrightError('EXECUTION_FAILED', message, suggestion);
