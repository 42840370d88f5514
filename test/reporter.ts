import type { Reporter, TestCase, TestModule } from 'vitest/node';

let isFiltered = false;

/** The last state of each file: those that failed are run once more, see run.mjs. */
const known = new Map<string, TestModule>();

/** What failed before its file was run once more. */
const failedBefore = new Set<string>();

/**
 * The closing lines of a run: what was skipped and why, what passed only when it was repeated, then
 * the three figures alone on a line.
 * Skipping everything is not a success: a run in which nothing passed fails, and in CI, which has
 * installed what the tests need and is root, so does a file whose tests were all skipped.
 */
export const closingLines: Reporter = {
  onInit(vitest) {
    isFiltered = vitest.config.testNamePattern !== undefined;
  },
  onTestRunEnd(latest, unhandledErrors) {
    for (const each of latest) known.set(each.id, each);
    const modules = [...known.values()];
    const tests = modules.flatMap(testsOf);
    const inState = (state: string): TestCase[] =>
      tests.filter((each) => each.result().state === state);
    const passed = inState('passed').length;
    const skipped = isFiltered ? [] : inState('skipped');
    const complete = process.env['CI'] !== undefined && process.geteuid?.() === 0;
    const idle = isFiltered || !complete ? [] : modules.filter(isIdle);
    // A file that cannot be loaded has no tests that could fail.
    const broken = modules.filter((each) => each.errors().length > 0).length;
    const failed = inState('failed').length + broken + unhandledErrors.length + idle.length;
    if (passed === 0 || failed > 0) process.exitCode = 1;

    if (skipped.length > 0) console.log(['', 'Skipped:', ...reasons(skipped)].join('\n'));
    const repeated = [...tests.flatMap(repetition), ...passedAlone(tests)];
    for (const each of inState('failed')) failedBefore.add(each.id);
    if (repeated.length > 0) console.log(['', 'Repeated:', ...repeated].join('\n'));
    for (const each of idle) console.log(`\nFailed: every test of ${fileOf(each)} was skipped.`);
    if (passed === 0) console.log('\nFailed: nothing passed.');
    console.log(`\n${passed} passed, ${failed} failed, ${inState('skipped').length} skipped`);
  },
};

const testsOf = (module: TestModule): TestCase[] => [...module.children.allTests()];

function isIdle(module: TestModule): boolean {
  const tests = testsOf(module);
  return tests.length > 0 && tests.every((each) => each.result().state === 'skipped');
}

/** How often a test failed before it passed. */
function repetition(test: TestCase): string[] {
  const { flaky = false, retryCount = 0 } = test.diagnostic() ?? {};
  return flaky ? [`${column(retryCount)}  ${test.fullName}  [${fileOf(test.module)}]`] : [];
}

/** What failed among all the others and passed when its file was run alone. */
const passedAlone = (tests: readonly TestCase[]): string[] =>
  tests
    .filter((each) => failedBefore.has(each.id) && each.result().state === 'passed')
    .map((each) => `alone  ${each.fullName}  [${fileOf(each.module)}]`);

/** One line for each file and reason, with how many tests it holds back. */
function reasons(skipped: readonly TestCase[]): string[] {
  const counts = new Map<string, number>();
  for (const each of skipped) {
    const line = `${reasonOf(each)}  [${fileOf(each.module)}]`;
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  return [...counts].map(([line, count]) => `${column(count)}  ${line}`);
}

/** What the test said when it skipped itself, else the words in brackets in its title, else the title. */
function reasonOf(test: TestCase): string {
  const result = test.result();
  if (result.state === 'skipped' && result.note) return result.note;
  const inBrackets = [...test.fullName.matchAll(/\(([^()]+)\)/g)].map((match) => match[1] ?? '');
  const reason = inBrackets.findLast((text) => /\b(?:skip|need|without|only|root)/.test(text));
  return reason ?? test.fullName;
}

const column = (count: number): string => String(count).padStart(5);

const fileOf = (module: TestModule): string => module.relativeModuleId;
