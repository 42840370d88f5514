import { expect, test } from 'vitest';
import { atShell } from '../../src/cli/at-shell.ts';

test('what a server is told to start is the same command as root at a shell', () => {
  expect(atShell('sudo tracewright mcp', ['record', '--seconds', '1'])).toBe(
    'sudo tracewright record --seconds 1',
  );
  expect(atShell('sudo tracewright mcp', ['read', 'stats://aggregated/process?sort=wait'])).toBe(
    "sudo tracewright read 'stats://aggregated/process?sort=wait'",
  );
  expect(atShell('sudo tracewright mcp', [])).toBe('sudo tracewright');
  expect(atShell('sudo tracewright mcp, or wait.', ['profile'])).toBe(
    'sudo tracewright profile, or wait.',
  );
});

test('any other fix stays as it is', () => {
  const fix = 'sudo sysctl kernel.perf_event_paranoid=0';
  expect(atShell(fix, ['profile'])).toBe(fix);
});
