import { approve, type Command, ownPath, Refused, type Sandbox, userPath } from './command.ts';
import { type Interpreter, programWords, type ScaleneRun } from './scalene.ts';

type Run = Readonly<{
  interpreter: Interpreter;
  /** A copy of scripts/python/tracemalloc-probe.py that the user may read. */
  probe: string;
  outfile: string;
  target: ScaleneRun['target'];
  args: readonly string[];
  environment: Readonly<Record<string, string>>;
  sandbox: Sandbox;
  duration_ms: number;
}>;

const snapshot_interval_s = '0.2';

/** A program under the tracemalloc of Python's standard library. */
export function tracemallocRun(run: Run): Command {
  const { interpreter, probe, outfile, sandbox, environment, duration_ms } = run;
  if (!probe.endsWith('.py')) throw new Refused('the probe is a .py file');
  return approve({
    program: interpreter.program,
    args: [
      ...[ownPath(probe), userPath('outfile', outfile), snapshot_interval_s, '---'],
      ...programWords(run.target, run.args),
    ],
    environment,
    sandbox,
    limits: { duration_ms, output_bytes: 64 * 1024 * 1024 },
    subject: { runs_user_code: true, window_ms: duration_ms },
  });
}
