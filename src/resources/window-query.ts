import { wholeNumber } from './define-resource.ts';

/** The window that every resource with rates offers. */
export const windowQuery = {
  window_ms: wholeNumber(100, 10_000)
    .optional()
    .describe('measure afresh for so long; else since the last read (daemon), or 500'),
};

/** The time for which bpftrace traces the scheduler, where that is asked for. */
export const traceQuery = {
  trace_ms: wholeNumber(100, 10_000)
    .optional()
    .describe(
      'trace with bpftrace for so long (root; a second more to attach; with --daemon it stays for half a minute); default none',
    ),
};
