import { appendFileSync } from 'node:fs';
import type { TestEvent } from 'node:test/reporters';

const serial_line = '/dev/ttyS1';

/** Reports each test to the host as it ends, as a line of JSON, and in words on the console. */
async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    if ((event.type !== 'test:pass' && event.type !== 'test:fail') || isOfSuite(event)) continue;
    const { name, skip, details } = event.data;
    // Set by Node.js for those that --only leaves out.
    if (skip === 'test name does not match pattern') continue;
    const outcome = event.type === 'test:fail' ? 'fail' : skip ? 'skip' : 'pass';
    const message =
      outcome === 'skip' ? String(skip) : event.type === 'test:fail' ? why(event) : '';
    const line = { type: 'test', name, outcome, ms: details.duration_ms, message };
    appendFileSync(serial_line, `${JSON.stringify(line)}\n`);
    yield `${outcome}  ${name}\n${message && `${message}\n`}`;
  }
}

/** A suite says nothing that its tests did not, unless it is skipped or one of its hooks failed. */
function isOfSuite(event: TestEvent): boolean {
  if (event.type === 'test:pass') return event.data.details.type === 'suite' && !event.data.skip;
  if (event.type !== 'test:fail' || event.data.details.type !== 'suite') return false;
  const { error } = event.data.details;
  return !('failureType' in error) || error.failureType === 'subtestsFailed';
}

function why({ data }: Extract<TestEvent, { type: 'test:fail' }>): string {
  const { cause, message } = data.details.error;
  const text = cause instanceof Error ? (cause.stack ?? cause.message) : message;
  return text.slice(0, 3000);
}

// node --test-reporter takes the default export.
// biome-ignore lint/style/noDefaultExport: see above
export default report;
