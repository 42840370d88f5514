import { untrusted } from '../../parsers/untrusted.ts';
import { TracewrightError } from '../errors.ts';

/** A tracer that ended without an answer: the line in which it says why. */
export function failedProgram(name: string, stderr: string): TracewrightError {
  // bpftrace says this as root without CAP_SYS_RESOURCE, and goes on.
  const lines = stderr
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.includes('RLIMIT_MEMLOCK'));
  const said = lines.find((line) => /error|fatal|fail|cannot/i.test(line)) ?? lines[0] ?? '';
  return new TracewrightError(
    'EXECUTION_FAILED',
    `${name} ended: ${untrusted(said, 300) || 'it said nothing'}`,
    'Run `tracewright doctor`: it tells what this kernel lacks.',
  );
}
