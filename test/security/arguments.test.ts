import fc from 'fast-check';
import { afterAll, describe, test } from 'vitest';
import * as z from 'zod/v4';
import { TracewrightError } from '../../src/errors.ts';
import { checkArguments } from '../../src/tools/define-tool.ts';
import { tools } from '../../src/tools/index.ts';
import { figure, tries } from './budget.ts';
import { hostile } from './hostile-values.ts';

const runs = Math.ceil(tries(200_000, 10_000) / tools.length);
const ends = { accepted: 0, refused: 0 };
afterAll(() =>
  figure(
    `${ends.accepted + ends.refused} calls of ${tools.length} tools with hostile arguments: ` +
      `${ends.accepted} fit the schema, ${ends.refused} INVALID_PARAMS, nothing else`,
  ),
);

/** What each argument says that it takes, or anything else. */
function anyOf(property: unknown): fc.Arbitrary<unknown> {
  const { enum: values, minimum = 0, maximum = 100 } = Object(property);
  const good = Array.isArray(values)
    ? fc.constantFrom<unknown>(...values)
    : fc.constantFrom<unknown>(minimum, maximum, true, 'a');
  return fc.oneof({ weight: 2, arbitrary: good }, { weight: 1, arbitrary: hostile });
}

describe('arguments are accepted or INVALID_PARAMS', () => {
  test.each(tools.map((tool) => [tool.name, tool] as const))(
    '%s',
    (name, tool) => {
      const { properties = {} } = z.toJSONSchema(tool.input, { io: 'input' });
      const known = Object.entries(properties).map(([key, property]) => [key, anyOf(property)]);
      const unknown = ['__proto__', 'constructor', '-e', ''].map((key) => [key, hostile]);
      const values = fc.oneof(
        { weight: 8, arbitrary: fc.record(Object.fromEntries(known), { requiredKeys: [] }) },
        {
          weight: 1,
          arbitrary: fc.record(Object.fromEntries([...known, ...unknown]), { requiredKeys: [] }),
        },
        { weight: 1, arbitrary: hostile },
      );
      fc.assert(
        fc.property(values, (args) => {
          try {
            checkArguments(name, tool.input, args);
            ends.accepted += 1;
          } catch (error) {
            if (!(error instanceof TracewrightError && error.code === 'INVALID_PARAMS'))
              throw error;
            ends.refused += 1;
          }
        }),
        { seed: 11, numRuns: runs },
      );
    },
    120_000,
  );
});
