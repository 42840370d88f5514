import { defineConfig } from 'vitest/config';
import { closingLines } from './test/reporter.ts';

const live = 'test/live/**/*.test.ts';
/** With TRACEWRIGHT_LIVE_HELPER=socket or sudo live tests measure through a helper, see test/live/helper. */
const helper = process.env['TRACEWRIGHT_LIVE_HELPER']
  ? {
      globalSetup: ['test/live/helper/serve.ts'],
      setupFiles: ['test/live/helper/contexts.ts'],
    }
  : {};

export default defineConfig({
  test: {
    reporters: ['default', closingLines],
    hookTimeout: 60_000,
    // Live tests measure this machine: side by side they would measure each other.
    fileParallelism: false,
    maxWorkers: 1,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [live, '**/node_modules/**'],
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          ...helper,
          name: 'live',
          include: [live],
          testTimeout: 60_000,
          // What else the machine does falls into one of two windows that are compared; it does so
          // again only where the two disagree. The end of a run names the tests that were repeated.
          retry: 2,
        },
      },
    ],
  },
});
