import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type AuditEntry, parseEntry } from '../../src/audit/entry.ts';
import { journalStream } from '../../src/sockets/journal-stream.ts';
import { connectV2 } from '../mcp/connect.ts';

const room = mkdtempSync(join(tmpdir(), 'tracewright-test-audit-'));
afterAll(() => rmSync(room, { recursive: true, force: true }));

const tracewright = (...args: string[]) =>
  spawnSync(process.execPath, ['dist/cli.js', ...args], { encoding: 'utf8', timeout: 60_000 });
const entriesIn = (file: string, ...more: string[]): AuditEntry[] =>
  tracewright('audit', '--json', '--audit', file, ...more)
    .stdout.split('\n')
    .flatMap((line) => parseEntry(line) ?? []);

test.each(['legacy', 'modern'] as const)(
  'a server records what it refused and for whom: %s client',
  async (era) => {
    const file = join(room, `${era}.jsonl`);
    const policy = join(room, 'policy.json');
    writeFileSync(policy, '{"tools":{"deny":["perf_info"]},"users":[65534]}', { mode: 0o644 });
    const { client, close } = await connectV2(
      process.execPath,
      ['dist/cli.js', 'mcp', '--audit', file, '--policy', policy],
      { era },
    );
    try {
      await client.callTool({ name: 'perf_info', arguments: {} });
      await client.callTool({ name: 'perf_fd_trace', arguments: { pid: process.pid } });
      await client.callTool({ name: 'get_topology', arguments: {} });
    } finally {
      await close();
    }
    const who = { client: 'tracewright-test-v2', client_version: '1.0.0', decision: 'refused' };
    expect(entriesIn(file)).toMatchObject([
      { ...who, request: 'perf_info', program: null },
      { ...who, request: 'perf_fd_trace', program: null },
    ]);
  },
);

test('a word of the command line records the programs that it started', () => {
  const file = join(room, 'words.jsonl');
  expect(tracewright('call', 'perf_info', '--audit', file).status).toBe(0);
  const entries = entriesIn(file);
  // Which programs there are is the host's business; each that ran is told in full.
  for (const entry of entries) {
    expect(entry).toMatchObject({ decision: 'allowed', request: 'perf_info' });
    expect(entry).toMatchObject({ client: 'tracewright command line' });
    expect(entry.program).toMatch(/^\//);
  }
});

test('audit shows a table, chosen by time and decision, and passes over torn lines', () => {
  const file = join(room, 'table.jsonl');
  const line = (hours: number, decision: string, request: string) => {
    const time = new Date(Date.now() - hours * 3_600_000).toISOString();
    return `${JSON.stringify({ time, decision, request, program: '/usr/bin/perf', argv: ['list'] })}\n`;
  };
  writeFileSync(`${file}.1`, line(30, 'allowed', 'oldest'), { mode: 0o600 });
  writeFileSync(file, line(3, 'refused', 'older') + line(0, 'allowed', 'newest'), { mode: 0o600 });
  appendFileSync(file, '{"time":"2026-');
  const requests = (...more: string[]) => entriesIn(file, ...more).map(({ request }) => request);
  expect(requests()).toEqual(['oldest', 'older', 'newest']);
  expect(requests('--since', '5h')).toEqual(['older', 'newest']);
  expect(requests('--refused')).toEqual(['older']);
  const { stdout } = tracewright('audit', '--audit', file);
  expect(stdout).toContain('/usr/bin/perf list');
  expect(stdout).toContain('1 lines are torn');
  expect(tracewright('audit', '--audit', file, '--since', 'yesterday').status).toBe(2);
});

test('where it was asked for and cannot be, nothing is served', () => {
  const { status, stderr } = tracewright('mcp', '--audit', join(room, 'none/x.jsonl'));
  expect(status).toBe(1);
  expect(stderr).toContain('cannot be written');
});

test('a policy that wants it overrides --audit none', () => {
  const state = join(room, 'state');
  const policy = join(room, 'audited.json');
  writeFileSync(policy, '{"audit":true}', { mode: 0o644 });
  const options = ['--audit', 'none', '--policy', policy, '--state-dir', state];
  expect(JSON.parse(tracewright('doctor', '--json', ...options).stdout).audit).toMatch(
    /audit\.jsonl$/,
  );
});

test('journald gets the greeting that systemd-cat sends, and then the lines', async () => {
  const place = join(room, 'stdout');
  let got = '';
  const server = createServer((socket) => {
    socket.setEncoding('utf8').on('data', (text: string) => {
      got += text;
    });
  });
  await new Promise<void>((resolve) => server.listen(place, resolve));
  try {
    const sink = await journalStream(place);
    const error = await new Promise((resolve) => sink.write('{"a":1}\n', resolve));
    expect(error).toBeNull();
    await expect.poll(() => got, { timeout: 20_000 }).toContain('{"a":1}\n');
    expect(got).toBe('tracewright\n\n6\n0\n0\n0\n0\n{"a":1}\n');
  } finally {
    server.close();
  }
  await expect(journalStream(join(room, 'nobody'))).rejects.toMatchObject({
    code: 'FEATURE_UNAVAILABLE',
  });
});
