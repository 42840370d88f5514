import { expect, test } from 'vitest';
import * as z from 'zod/v4';
import { checkArguments } from '../../src/tools/define-tool.ts';

const schema = z.strictObject({
  uri: z.string(),
  seconds: z.int().min(1).max(60).default(5),
  pid: z.int().min(1).optional(),
  mode: z.enum(['quick', 'deep']).default('quick'),
  names: z.array(z.string()).default([]),
});

/** What the caller of these arguments is told. */
function told(args: object): string {
  try {
    checkArguments('ask', schema, args);
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : '';
  }
  return '';
}

test.each([
  [{}, 'ask: uri: is missing'],
  [{ uri: 'x', seconds: '5' }, 'ask: seconds: must be a number, not the text "5"'],
  [{ uri: 'x', names: 'a' }, 'ask: names: must be a list, not the text "a"'],
  [{ uri: 'x', mode: 'quik' }, 'ask: mode: there is no "quik". Did you mean "quick"?'],
  [{ uri: 'x', second: 5 }, 'Did you mean "seconds"?'],
])('%j says what is wrong with it', (args, message) => {
  expect(told(args)).toContain(message);
});

test('text that is too long, or not fit for a terminal, is not repeated as it came', () => {
  const message = told({ uri: 'x', seconds: `\u001b[31m${'9'.repeat(5000)}` });
  expect(message.length).toBeLessThan(120);
  expect(message).not.toContain('\u001b');
});

test('what is accepted has no bounds and defaults that say nothing', () => {
  expect(() => checkArguments('ask', schema, {})).toThrow(
    expect.objectContaining({
      suggestion:
        'Accepted: uri (string), seconds (integer 1 to 60, default 5), pid (integer from 1), mode (quick|deep, default quick), names (array).',
    }),
  );
});

test('options of a command have their dashes', () => {
  expect(() => checkArguments('record', z.object({ seconds: z.int() }), {}, '--')).toThrow(
    expect.objectContaining({
      message: 'record: --seconds: is missing',
      suggestion: expect.stringContaining('Accepted: --seconds'),
    }),
  );
});
