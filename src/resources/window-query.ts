import { wholeNumber } from './define-resource.ts';

/** The window that every resource with rates offers. */
export const windowQuery = {
  window_ms: wholeNumber(100, 10_000)
    .optional()
    .describe('measure afresh for so long; else since the last read (daemon), or 500'),
};
