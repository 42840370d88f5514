import type { Command } from '../../allowlist/command.ts';
import { maskSecrets } from '../../parsers/secrets.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import { type TracewrightError, toTracewrightError } from '../errors.ts';
import type { Attempt } from '../exec/guarded-start.ts';
import { findProgram } from '../exec/resolve-program.ts';
import type { Finished } from '../exec/start.ts';
import { type AuditSink, auditFile, usualAuditFile } from './audit-file.ts';
import { type AuditLog, auditLog } from './audit-log.ts';
import type { EntryParts } from './entry.ts';
import { currentOrigin, type Origin, within } from './origin.ts';

/** What is recorded of whom. */
export type Audit = Readonly<{
  place: string;
  lost(): number;
  /** Does the work of a request: what it starts, and that it was refused, is recorded as of it. */
  within<T>(origin: Origin, work: () => Promise<T>): Promise<T>;
  /** An attempt to run a program. */
  attempt(command: Command): Attempt;
}>;

const most_args = 64;
const longest_arg = 200;

/** `file`, `journald`, or an absolute path. */
export async function openAudit(
  where: string,
  state: string | undefined,
  complain: (message: string) => void,
): Promise<Audit> {
  return audit(await openSink(where, state), () => new Date(), complain);
}

async function openSink(where: string, state: string | undefined): Promise<AuditSink> {
  if (where === 'file') return auditFile(usualAuditFile(state), true);
  if (where !== 'journald') return auditFile(where, false);
  const { journalStream } = await import('../sockets/journal-stream.ts');
  return await journalStream();
}

export function audit(
  sink: AuditSink,
  now: () => Date,
  complain: (message: string) => void,
): Audit {
  const log = auditLog(sink, now, complain);
  const running = new Set<EntryParts>();
  /** Refusals that were recorded where they were made. */
  const known = new WeakSet<TracewrightError>();
  process.once('exit', () => {
    for (const each of running) log.add({ ...each, reason: 'it ran when the server ended' });
    log.finish();
  });
  const refuse = (parts: EntryParts, error: TracewrightError): void => {
    known.add(error);
    log.add({ ...parts, decision: 'refused', reason: `${error.code}: ${error.message}` });
  };
  return {
    place: sink.place,
    lost: log.lost,
    within: (origin, work) =>
      within(origin, async () => {
        try {
          return await work();
        } catch (thrown) {
          const error = toTracewrightError(thrown);
          if (error.code === 'NOT_ALLOWED' && !known.has(error)) refuse(originParts(), error);
          throw thrown;
        }
      }),
    attempt(command) {
      const parts = { ...originParts(), ...commandParts(command) };
      const started_ms = performance.now();
      running.add(parts);
      return {
        ended(finished) {
          running.delete(parts);
          log.add({ ...parts, ...endParts(finished) });
        },
        failed(thrown) {
          running.delete(parts);
          recordFailure(log, refuse, parts, toTracewrightError(thrown), started_ms);
        },
      };
    },
  };
}

/** A program that is not there, or a request that was canceled before, ran nothing. */
function recordFailure(
  log: AuditLog,
  refuse: (parts: EntryParts, error: TracewrightError) => void,
  parts: EntryParts,
  error: TracewrightError,
  started_ms: number,
): void {
  if (error.code === 'NOT_ALLOWED') refuse(parts, error);
  else if (error.code === 'EXECUTION_FAILED' || error.code === 'INTERNAL') {
    const duration_ms = Math.round(performance.now() - started_ms);
    log.add({ ...parts, duration_ms, reason: `${error.code}: ${error.message}` });
  }
}

function originParts(): EntryParts {
  const origin = currentOrigin();
  return {
    decision: 'allowed',
    request: origin && untrusted(origin.request, 200),
    client: origin?.client ? untrusted(origin.client.name, 100) : null,
    client_version: origin?.client ? untrusted(origin.client.version, 50) : null,
  };
}

function commandParts({ program, args, sandbox }: Command): Omit<EntryParts, 'decision'> {
  const found = findProgram(program);
  const shown = maskSecrets(args.slice(0, most_args)).map((each) => untrusted(each, longest_arg));
  return {
    program: found.path ?? program.name,
    argv: args.length > most_args ? [...shown, `… ${args.length - most_args} more`] : shown,
    uid: sandbox?.user?.uid ?? process.geteuid?.() ?? null,
  };
}

function endParts(finished: Finished): Omit<EntryParts, 'decision'> {
  const { exit_code, signal, stdout, stdout_bytes, duration_ms, stopped_by } = finished;
  return {
    exit_code,
    signal,
    bytes: stdout_bytes ?? Buffer.byteLength(stdout),
    duration_ms,
    reason: stopped_by === 'exit' ? null : `ended by ${stopped_by}`,
  };
}
