import { defineConfig } from 'vitest/config';
import { closingLines } from './test/reporter.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    reporters: ['default', closingLines],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Live tests measure this machine: side by side they would measure each other.
    fileParallelism: false,
  },
});
