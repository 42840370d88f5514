import { describe, expect, test } from 'vitest';
import { fits, lowest, type PolicyRules, permits } from '../../src/policy/policy.ts';
import { parsePolicy } from '../../src/policy/policy-schema.ts';

const uidOf = (name: string): number | null => (name === 'alice' ? 1000 : null);
const parse = (value: unknown): PolicyRules => parsePolicy('p.json', JSON.stringify(value), uidOf);

describe('the text of a policy', () => {
  test('every key may be left out', () => {
    expect(parse({})).toEqual({});
  });

  test('names of users become numbers', () => {
    expect(parse({ users: ['alice', 0] }).users).toEqual([1000, 0]);
  });

  test.each([
    [{ max_duration: 5 }, 'unknown key max_duration'],
    [{ tools: { only: ['perf_info'] } }, 'unknown key tools.only'],
    [{ max_duration_seconds: '5' }, 'max_duration_seconds'],
    [{ max_sample_rate_hz: 0 }, 'max_sample_rate_hz'],
    [{ tools: { deny: ['rm -rf'] } }, 'tools.deny.0'],
    [{ users: ['bob'] }, 'users: /etc/passwd has no "bob"'],
    [{ python: 'no' }, 'python'],
    [[], 'the policy'],
  ])('%j is refused by name', (value, message) => {
    expect(() => parse(value)).toThrow(
      expect.objectContaining({
        code: 'NOT_ALLOWED',
        message: expect.stringContaining(message),
        suggestion: expect.stringContaining('tracewright policy p.json'),
      }),
    );
  });

  test('half a file is refused', () => {
    expect(() => parsePolicy('p.json', '{"python":', uidOf)).toThrow(/p\.json is no policy/);
  });
});

describe('patterns', () => {
  test.each([
    ['perf_info', 'perf_info', true],
    ['perf_info', 'perf_infos', false],
    ['perf_*', 'perf_info', true],
    ['perf_*', 'get_perf_results', false],
    ['*perf*', 'get_perf_results', true],
    ['*', '', true],
    ['a*a', 'a', false],
    ['a*b*a', 'axbya', true],
    ['a*b*a', 'aba', true],
    ['a*bb*a', 'aba', false],
    ['tcp_.', 'tcp_x', false],
  ])('%s and %s: %s', (pattern, name, expected) => {
    expect(fits(pattern, name)).toBe(expected);
  });

  test('what is denied is not allowed again', () => {
    const rules = { allow: ['perf_*'], deny: ['perf_triage'] };
    expect(permits(rules, 'perf_info')).toBe(true);
    expect(permits(rules, 'perf_triage')).toBe(false);
    expect(permits(rules, 'get_topology')).toBe(false);
    expect(permits(undefined, 'get_topology')).toBe(true);
    expect(permits({ allow: [] }, 'get_topology')).toBe(false);
  });
});

test('of two policies the lower limit holds, whichever comes first', () => {
  const host = { path: 'host', rules: { max_duration_seconds: 10 } };
  const added = { path: 'added', rules: { max_duration_seconds: 60 } };
  expect(lowest([host, added], 'max_duration_seconds')).toEqual({ value: 10, path: 'host' });
  expect(lowest([added, host], 'max_duration_seconds')).toEqual({ value: 10, path: 'host' });
  expect(lowest([added, host], 'max_sample_rate_hz')).toBeNull();
});
