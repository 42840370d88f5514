// What `npm test` runs: the whole suite, and the few files that failed in it once more, alone. Most tests
// drive real tracers on a real machine, and what else that machine does fails one of thousands now and
// then; what is broken fails again. The closing lines name what was run again.
import { createVitest, parseCLI } from 'vitest/node';

/** More failing files than these are no accident. */
const most_repeated = 5;

const { filter, options } = parseCLI(['vitest', 'run', ...process.argv.slice(2)]);
const vitest = await createVitest('test', { ...options, watch: false });
try {
  await vitest.start(filter);
  const failed = vitest.state.getTestModules().filter((each) => each.state() === 'failed');
  const isWhole = filter.length === 0 && options.testNamePattern === undefined;
  const isErrorFree = vitest.state.getUnhandledErrors().length === 0;
  if (isWhole && isErrorFree && failed.length > 0 && failed.length <= most_repeated) {
    process.exitCode = 0;
    await vitest.runTestSpecifications(failed.map((each) => each.toTestSpecification()));
  }
} finally {
  await vitest.close();
}
