/**
 * Every failure a caller can meet. INVALID_PARAMS, NOT_ALLOWED: change the call. PERMISSION_DENIED,
 * CAPABILITY_MISSING, TOOL_NOT_FOUND, FEATURE_UNAVAILABLE: change the host. PROFILER_BUSY, TIMEOUT:
 * try again. The suggestion says exactly how.
 */
export type ErrorCode =
  | 'INVALID_PARAMS'
  | 'NOT_ALLOWED'
  | 'PERMISSION_DENIED'
  | 'CAPABILITY_MISSING'
  | 'TOOL_NOT_FOUND'
  | 'FEATURE_UNAVAILABLE'
  | 'PID_NOT_FOUND'
  | 'CGROUP_NOT_FOUND'
  | 'DEVICE_NOT_FOUND'
  | 'TIMEOUT'
  | 'CANCELED'
  | 'PROFILER_BUSY'
  | 'EXECUTION_FAILED'
  | 'PARSE_ERROR'
  | 'INTERNAL';

/** Codes that the same call cannot get past, whatever the caller changes in it. */
const final: ReadonlySet<ErrorCode> = new Set(['FEATURE_UNAVAILABLE', 'PARSE_ERROR', 'INTERNAL']);

/** A failure with a way out: what happened, and the exact command or change that helps. */
export class TracewrightError extends Error {
  override readonly name = 'TracewrightError';
  readonly code: ErrorCode;
  readonly suggestion: string;
  constructor(code: ErrorCode, message: string, suggestion: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.suggestion = suggestion;
  }
  get recoverable(): boolean {
    return !final.has(this.code);
  }
}

/** The error body that clients and the command line show. */
export type ErrorBody = Readonly<{
  success: false;
  tool?: string;
  error: Readonly<{ code: ErrorCode; message: string; recoverable: boolean; suggestion: string }>;
}>;

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
