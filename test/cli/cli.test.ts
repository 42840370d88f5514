import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

function tracewright(...args: string[]) {
  return spawnSync(process.execPath, ['dist/cli.js', ...args], {
    encoding: 'utf8',
    timeout: 60_000,
  });
}

test('without arguments it sums up this machine and says how to connect a client', () => {
  const { stdout, status } = tracewright();
  expect(status).toBe(0);
  expect(stdout).toMatch(/\bCPUs?\b/);
  expect(stdout).toContain('stats://system/memory');
  expect(stdout).toContain('"mcpServers"');
});

test('call takes key=value words and prints text', () => {
  const { stdout, status } = tracewright('call', 'get_topology', 'include_offline=true');
  expect(status).toBe(0);
  expect(stdout).toContain('total_cpus');
  expect(() => JSON.parse(stdout)).toThrow();
});

test('--json prints the same answer as an MCP client gets', () => {
  const { stdout } = tracewright('call', 'get_topology', '--json');
  expect(JSON.parse(stdout)).toMatchObject({ success: true, tool: 'get_topology', data: {} });
});

test('read prints a resource, parameters included', () => {
  const { stdout } = tracewright('read', 'stats://aggregated/process?limit=2', '--json');
  expect(JSON.parse(stdout).processes).toHaveLength(2);
});

test('prompt prints a workflow', () => {
  const { stdout } = tracewright('prompt', 'debug_high_latency', `pid=${process.pid}`);
  expect(stdout).toContain('## Steps');
});

test.each([
  [['bogus'], 'There is no command "bogus"'],
  [['call', 'bogus'], 'There is no tool "bogus"'],
  [['call', 'get_topology', 'detail_level'], 'not of the form key=value'],
  [['call', 'get_topology', 'detail_level=huge'], 'detail_level'],
  [['read', 'nope://x'], 'There is no resource'],
  [['prompt', 'bogus'], 'There is no prompt'],
  [['tools', '--toolsets', 'bogus'], 'There is no toolset'],
  [['--bogus'], '--bogus'],
])('%j is wrong usage: exit code 2, the error and its fix on stderr', (args, message) => {
  const { stdout, stderr, status } = tracewright(...args);
  expect(status).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain(message);
  expect(stderr.trim().split('\n').length).toBeGreaterThanOrEqual(2);
});

test('an error is JSON too where JSON was asked for', () => {
  const { stdout, status } = tracewright('read', 'nope://x', '--json');
  expect(status).toBe(2);
  expect(JSON.parse(stdout).error.code).toBe('INVALID_PARAMS');
});

test.each(['tools', 'resources', 'prompts'])('%s are listed, as text and as JSON', (word) => {
  const text = tracewright(word).stdout;
  const listed = JSON.parse(tracewright(word, '--json').stdout)[word];
  for (const each of listed) expect(text).toContain(each.uri ?? each.name);
});
