import { printable } from '../parsers/untrusted.ts';

/** What a code says, and what whoever gets it does. `final`: the same call cannot get past it. */
type Meaning = Readonly<{ meaning: string; remedy: string; final?: true }>;

/** Every failure a caller can meet. The suggestion in each error says exactly what to do. */
export const errorCodes = {
  INVALID_PARAMS: {
    meaning: 'An argument, option, name or URI is wrong.',
    remedy: 'Change the call: the suggestion lists what is accepted.',
  },
  NOT_ALLOWED: {
    meaning: 'The server or the command was told not to do this.',
    remedy: 'Ask for something that is allowed, or start it with other options.',
  },
  PERMISSION_DENIED: {
    meaning: 'The kernel refuses it to this user.',
    remedy: 'Change the host: run the command in the suggestion.',
  },
  CAPABILITY_MISSING: {
    meaning: 'The process lacks a capability.',
    remedy: 'Change the host: run the command in the suggestion.',
  },
  TOOL_NOT_FOUND: {
    meaning: 'A program is not installed, or not where it is looked for.',
    remedy: 'Install it: the suggestion is the command.',
  },
  FEATURE_UNAVAILABLE: {
    meaning: 'This kernel, machine or session does not have it.',
    remedy: 'Use what the suggestion names instead, or another host.',
    final: true,
  },
  PID_NOT_FOUND: {
    meaning: 'There is no such process, or it has ended.',
    remedy: 'Look it up again.',
  },
  CGROUP_NOT_FOUND: { meaning: 'There is no such cgroup.', remedy: 'Look it up again.' },
  DEVICE_NOT_FOUND: {
    meaning: 'There is no such disk or interface.',
    remedy: 'Choose one that the suggestion lists.',
  },
  TIMEOUT: {
    meaning: 'A program did not answer in time.',
    remedy: 'Try again, with less or when the host is calmer.',
  },
  CANCELED: { meaning: 'The caller canceled the request.', remedy: 'Call again.' },
  PROFILER_BUSY: {
    meaning: 'Something of which only one runs at a time runs already.',
    remedy: 'Wait as long as the error says, or stop the other.',
  },
  EXECUTION_FAILED: {
    meaning: 'A program failed, or a file could not be written.',
    remedy: 'Do what the suggestion says; the message holds what the program said.',
  },
  PARSE_ERROR: {
    meaning: 'A file or the output of a program is not of the expected form.',
    remedy:
      'Repair the file that is named; else report it with the output of `tracewright doctor`.',
    final: true,
  },
  INTERNAL: {
    meaning: 'A fault of this program.',
    remedy: 'Please report it.',
    final: true,
  },
} as const satisfies Readonly<Record<string, Meaning>>;

export type ErrorCode = keyof typeof errorCodes;

/** A failure with a way out: what happened, and the exact command or change that helps. */
export class TracewrightError extends Error {
  override readonly name = 'TracewrightError';
  readonly code: ErrorCode;
  readonly suggestion: string;
  constructor(code: ErrorCode, message: string, suggestion: string, cause?: unknown) {
    // Both repeat what a caller gave or a program said.
    super(printable(message), { cause });
    this.code = code;
    this.suggestion = printable(suggestion);
  }
  get recoverable(): boolean {
    return !('final' in errorCodes[this.code]);
  }
}

/** The error body that clients and the command line show. */
export type ErrorBody = Readonly<{
  success: false;
  tool?: string;
  error: Readonly<{ code: ErrorCode; message: string; recoverable: boolean; suggestion: string }>;
}>;

const more_room = 'Make room (df -h), or set TMPDIR and --state-dir to folders on another disk.';
const more_files = 'Start the server with more open files: ulimit -n 4096.';
const more_processes = 'Check `ulimit -u` and free memory, then try again.';

/** What the host has too little of, by the name of the error. */
const shortages: ReadonlyMap<unknown, string> = new Map([
  ['ENOSPC', more_room],
  ['EDQUOT', more_room],
  ['EROFS', more_room],
  ['EMFILE', more_files],
  ['ENFILE', more_files],
  ['EAGAIN', more_processes],
  ['ENOMEM', more_processes],
]);

/** Anything thrown, as a TracewrightError. What we did not foresee is INTERNAL, without a stack. */
export function toTracewrightError(thrown: unknown): TracewrightError {
  if (thrown instanceof TracewrightError) return thrown;
  if (!(thrown instanceof Error)) {
    return new TracewrightError('INTERNAL', String(thrown), 'Please report this.');
  }
  if (thrown.name === 'Refused') {
    return new TracewrightError('NOT_ALLOWED', thrown.message, 'Change the value named.', thrown);
  }
  if (thrown.name === 'ParseError') {
    return new TracewrightError(
      'PARSE_ERROR',
      thrown.message,
      'Run `tracewright doctor` and report this together with its output.',
      thrown,
    );
  }
  if (thrown.name === 'AbortError') {
    return new TracewrightError(
      'CANCELED',
      'The caller canceled the request.',
      'Call again.',
      thrown,
    );
  }
  const shortage = 'code' in thrown ? shortages.get(thrown.code) : undefined;
  if (shortage !== undefined) {
    return new TracewrightError('EXECUTION_FAILED', thrown.message, shortage, thrown);
  }
  return new TracewrightError('INTERNAL', thrown.message, 'Please report this.', thrown);
}

export function errorBody(error: TracewrightError, tool?: string): ErrorBody {
  const { code, message, recoverable, suggestion } = error;
  return {
    success: false,
    ...(tool === undefined ? {} : { tool }),
    error: { code, message: message.slice(0, 2000), recoverable, suggestion },
  };
}
