import { approve, type Command, integer, ownPath, type Program, userPath } from './command.ts';

/** Programs that read the stacks of a Python process from its memory. */
export type PythonSampler = 'py-spy' | 'austin';

export type FoundSampler = Readonly<{ sampler: PythonSampler; program: Program }>;

/** Best first. Before those of the system stand those beside a Python that the operator has chosen. */
export function pythonSamplers(chosen: readonly string[]): readonly FoundSampler[] {
  const folders = chosen.map((path) => path.slice(0, path.lastIndexOf('/')));
  return (['py-spy', 'austin'] as const).flatMap((sampler) => {
    const packages = { apt: sampler, dnf: sampler };
    const own = folders.map((folder) => userPath('python', `${folder}/${sampler}`));
    const programs: Program[] = [
      ...own.map((path) => ({ name: path, candidates: [path], packages })),
      { name: sampler, candidates: [`/usr/local/bin/${sampler}`, `/usr/bin/${sampler}`], packages },
    ];
    return programs.map((program) => ({ sampler, program }));
  });
}

type Sampling = FoundSampler &
  Readonly<{
    pid: number;
    duration_s: number;
    rate_hz: number;
    /** A file of our own. */
    output: string;
  }>;

/**
 * Samples a process that runs, without stopping it; threads that wait are left out. On SIGINT both
 * write what they have. Options of py-spy 0.4 and of Austin 3.7.
 */
export function samplePython(sampling: Sampling): Command {
  const { sampler, program, duration_s, rate_hz } = sampling;
  const pid = integer('pid', sampling.pid, 1, 4_194_304);
  const seconds = integer('duration_s', duration_s, 1, 600);
  const rate = integer('rate_hz', rate_hz, 1, 1000);
  const output = ownPath(sampling.output);
  return approve({
    program,
    args:
      sampler === 'py-spy'
        ? [
            ...['record', '--pid', pid, '--duration', seconds, '--rate', rate],
            ...['--format', 'raw', '--full-filenames', '--nonblocking', '--output', output],
          ]
        : [
            ...['-s', '-i', `${Math.round(1_000_000 / Number(rate))}us`],
            ...['-x', seconds, '-p', pid, '-o', output],
          ],
    limits: { duration_ms: duration_s * 1000 + 10_000, output_bytes: 64 * 1024 },
    subject: { watches: { pid: sampling.pid }, window_ms: duration_s * 1000, rate_hz },
  });
}
