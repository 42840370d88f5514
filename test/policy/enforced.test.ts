import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import * as z from 'zod/v4';
import { createContext } from '../../src/context.ts';
import { argumentsUnder } from '../../src/policy/arguments.ts';
import type { PolicyRules } from '../../src/policy/policy.ts';
import { surface } from '../../src/surface.ts';
import { call } from '../fake-host.ts';
import { connectV2 } from '../mcp/connect.ts';

const room = mkdtempSync(join(tmpdir(), 'tracewright-test-policy-'));
afterAll(() => rmSync(room, { recursive: true, force: true }));

const policy = (rules: PolicyRules, name = 'policy.json'): string => {
  const file = join(room, name);
  writeFileSync(file, JSON.stringify(rules), { mode: 0o644 });
  return file;
};
const tracewright = (...args: string[]) =>
  spawnSync(process.execPath, ['dist/cli.js', ...args], { encoding: 'utf8', timeout: 60_000 });

test('an MCP client is not offered what a policy forbids, and is told of the policy', async () => {
  const file = policy({ tools: { deny: ['perf_*'] }, resources: { deny: ['bpf://programs'] } });
  const { client, close } = await connectV2(process.execPath, [
    'dist/cli.js',
    'mcp',
    '--policy',
    file,
  ]);
  try {
    const names = (await client.listTools()).tools.map(({ name }) => name);
    expect(names).toContain('get_topology');
    expect(names.filter((name) => name.startsWith('perf_'))).toEqual([]);
    const uris = (await client.listResources()).resources.map(({ uri }) => uri);
    expect(uris).toContain('topology://info');
    expect(uris).not.toContain('bpf://programs');

    const refused = await client.callTool({ name: 'perf_info', arguments: {} });
    expect(refused.isError).toBe(true);
    expect(JSON.stringify(refused.content)).toMatch(
      /NOT_ALLOWED.*does not allow the tool perf_info/,
    );
    await expect(client.readResource({ uri: 'bpf://programs' })).rejects.toThrow(file);
    const roundabout = await client.callTool({
      name: 'read_resource',
      arguments: { uri: 'bpf://programs?limit=1' },
    });
    expect(JSON.stringify(roundabout.content)).toContain('does not allow the resource');
  } finally {
    await close();
  }
});

test('a policy that others may change stops the server: exit code 1, the fix on the last line', () => {
  const file = policy({}, 'weak.json');
  chmodSync(file, 0o666);
  const { status, stdout, stderr } = tracewright('mcp', '--policy', file);
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr.trim().split('\n').at(-1)).toContain(`chmod go-w ${file}`);
});

test('a policy that is named and not there stops the server', () => {
  expect(tracewright('mcp', '--policy', join(room, 'none.json')).status).toBe(1);
});

test('policy FILE says what a file would mean, and refuses a name that nothing has', () => {
  const good = tracewright('policy', policy({ python: false, max_duration_seconds: 5 }));
  expect(good.status).toBe(0);
  expect(good.stdout).toContain('longest measurement: 5 s');
  expect(good.stdout).toMatch(/Tools not offered: .*profile_script/);
  const bad = tracewright('policy', policy({ tools: { deny: ['perf_nothing'] } }));
  expect(bad.status).toBe(1);
  expect(bad.stderr).toContain('nothing is called "perf_nothing"');
});

test('policy and doctor show what is in force', () => {
  const file = policy({ max_sample_rate_hz: 49, http: false });
  expect(tracewright('policy', '--policy', file).stdout).toContain('most samples a second: 49 Hz');
  expect(tracewright('mcp', '--http', '--policy', file).status).not.toBe(0);
  expect(JSON.parse(tracewright('policy', '--json', '--policy', file).stdout)).toMatchObject({
    policies: [{ path: file, rules: { max_sample_rate_hz: 49, http: false } }],
  });
});

test('a word of the command line is refused like the tool that does the same', () => {
  const file = policy({ tools: { deny: ['record_trace'] } });
  const { status, stderr } = tracewright('record', '--policy', file);
  expect(status).toBe(1);
  expect(stderr).toContain('does not allow the tool record_trace');
});

describe('arguments', () => {
  const asked = async (rules: PolicyRules, name: string, args: object) => {
    const policies = [{ path: '/etc/p.json', rules }];
    const ctx = createContext({ daemon: false, readOnly: true, policies });
    const [tool] = surface.tools({ readOnly: false, tools: [name] });
    return await tool
      ?.invoke(args, { ...ctx, usersOf: (pid) => (pid === 1 ? [0] : [1000]) }, call)
      .catch((error: unknown) => error);
  };

  test.each([
    ['perf_offcpu_profile', { duration_seconds: 6 }, 'at most 5 s, not 6'],
    ['trace_kernel_functions', { functions: ['vfs_read'], duration_s: 30 }, 'at most 5 s, not 30'],
    ['start_perf_profiling', { freq: 100 }, 'at most 49 samples'],
    ['perf_cpu_profile', { sample_rate_hz: 99 }, 'at most 49 samples'],
    ['perf_thread_profile', { pid: 1 }, 'process 1 is one'],
    ['perf_fd_trace', { pid: 1 }, 'process 1 is one'],
    ['control_event_tracking', { action: 'start', tgid: 1 }, 'process 1 is one'],
    ['read_resource', { uri: 'stats://aggregated/process?pid=1' }, 'process 1 is one'],
  ])('%s %j is refused before anything begins', async (name, args, message) => {
    const rules = { max_duration_seconds: 5, max_sample_rate_hz: 49, users: [1000] };
    expect(await asked(rules, name, args)).toMatchObject({
      code: 'NOT_ALLOWED',
      message: expect.stringContaining(message),
    });
  });

  test.each([
    ['perf_offcpu_profile', {}, { duration_seconds: 3 }],
    ['perf_offcpu_profile', { duration_seconds: 2 }, { duration_seconds: 2 }],
    // 0: until it is stopped.
    ['start_perf_profiling', {}, { duration_secs: 3, freq: 49 }],
    ['start_perf_profiling', { freq: 10, duration_secs: 0 }, { duration_secs: 3, freq: 10 }],
    ['enable_collection', {}, { duration_secs: 3 }],
    ['perf_net_health', {}, {}],
    ['get_topology', {}, {}],
  ])('a default above the limit becomes the limit: %s %j', (name, args, expected) => {
    const [tool] = surface.tools({ readOnly: false, tools: [name] });
    const rules = { max_duration_seconds: 3, max_sample_rate_hz: 49 };
    const policies = [{ path: '/etc/p.json', rules }];
    if (!tool) throw new Error(`no tool ${name}`);
    expect(argumentsUnder(policies, () => null, tool.input, args)).toEqual(expected);
  });
});

test('a process that is named, not numbered, is refused when it is found', async () => {
  const policies = [{ path: '/etc/p.json', rules: { users: [1000] } }];
  const ctx = createContext({ daemon: false, readOnly: true, policies });
  const [triage] = surface.tools({ readOnly: false, tools: ['perf_triage'] });
  const process_name = readFileSync('/proc/self/comm', 'utf8').trim();
  const args = { mode: 'quick', process_name };
  await expect(triage?.invoke(args, { ...ctx, usersOf: () => [0] }, call)).rejects.toMatchObject({
    code: 'NOT_ALLOWED',
    message: expect.stringContaining('/etc/p.json does not allow processes of user 0'),
  });
});

test('perf_triage takes no step of a tool that is denied', async () => {
  const denied = surface
    .tools({ readOnly: false, toolsets: ['host'] })
    .flatMap(({ name }) => (name === 'perf_triage' ? [] : [name]));
  const policies = [{ path: '/etc/p.json', rules: { tools: { deny: denied } } }];
  const started: string[] = [];
  const ctx = createContext({ daemon: false, readOnly: false, policies }, '', (command) => {
    started.push(command.args.join(' '));
    return Promise.reject(new Error('nothing is started here'));
  });
  const [triage] = surface.tools({ readOnly: false, tools: ['perf_triage'] });
  if (!triage) throw new Error('no perf_triage');
  const { data } = await surface.callTool(triage, { mode: 'standard' }, ctx, call);
  const { tools_failed } = z
    .object({ tools_failed: z.array(z.object({ tool: z.string(), reason: z.string() })) })
    .parse(data);
  expect(tools_failed.length).toBeGreaterThan(0);
  for (const { reason } of tools_failed) expect(reason).toContain('/etc/p.json');
  expect(started.filter((args) => !args.includes('version'))).toEqual([]);
});
