import { defineConfig } from 'vitest/config';
import { closingLines } from './test/reporter.ts';

const live = 'test/live/**/*.test.ts';

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
