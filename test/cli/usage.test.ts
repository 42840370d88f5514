import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';

vi.setConfig({ testTimeout: 60_000 });

const tracewright = (...args: string[]) =>
  spawnSync(process.execPath, ['dist/cli.js', ...args], { encoding: 'utf8', timeout: 50_000 });

describe('wrong usage ends with code 2 and', () => {
  test.each([
    [['sumary'], 'Did you mean "summary"?'],
    [['--jsn', 'doctor'], 'Did you mean "--json"?'],
    [['call', 'perf_triag'], 'Did you mean "perf_triage"?'],
    [['call', 'perf_triage', 'mod=quick'], 'Did you mean "mode"?'],
    [['call', 'perf_triage', '--mode', 'quick'], 'form key=value: mode=quick.'],
    [['call', 'perf_triage', '--mode=quick'], 'form key=value: mode=quick.'],
    [['call', 'perf_cpu_profile', 'duration_seconds=10s'], 'not the text "10s"'],
    [['call', 'perf_cpu_profile', 'duration_seconds=1e9'], '<=60'],
    [['profile', '--pid', '1'], 'form key=value: pid=1.'],
    [['profile', '--', 'python3', 'x.py'], 'profile_script script_path=x.py'],
    [['read', 'stats://system/cpu', 'a=1', 'b=2'], "read 'stats://system/cpu?a=1&b=2'"],
    [['read', 'stats://systm/cpu'], 'Did you mean "stats://system/cpu"?'],
    [['record', '--seconds', '10s'], '--seconds: must be a whole number'],
    [['record', '--seconds', '-1'], 'Write --seconds=VALUE'],
    [['doctor', '--seconds', '5'], 'record and report have it'],
    [['--daemon'], 'mcp, resources and read have it'],
    [['summary', '--once'], 'mcp has it'],
    [['summary', 'extra'], 'takes no further word: "extra"'],
    [['tools', 'perf_triage'], 'tracewright call perf_triage --help'],
    [['perf_triage'], 'tracewright call perf_triage'],
    [['topology://info'], "tracewright read 'topology://info'"],
    [['top'], 'tracewright read'],
  ])('%j is told what to write', (args, told) => {
    const { stdout, stderr, status } = tracewright(...args);
    expect(stderr).toContain(told);
    expect(stderr.trim().split('\n')).toHaveLength(2);
    expect({ stdout, status }).toEqual({ stdout: '', status: 2 });
  });
});

test('a process that is not there is not watched', () => {
  const { stderr, status } = tracewright('watch', '--pid', '4194304', '--duration', '1');
  expect(stderr).toContain('There is no process 4194304');
  expect(status).toBe(1);
});

const script = '/usr/bin/script';

test.skipIf(!existsSync(script))(
  'a person who starts the server at a terminal (needs script) is told what it waits for',
  () => {
    const line = `'${process.execPath}' dist/cli.js mcp --once`;
    const { stdout } = spawnSync(script, ['-qec', line, '/dev/null'], {
      encoding: 'utf8',
      input: '\u0004',
      timeout: 50_000,
    });
    expect(stdout).toContain('serving MCP on stdin and stdout');
  },
);

test('doctor tells a long reason once', () => {
  const { stdout } = tracewright('doctor');
  const reasons = stdout.split('\n').filter((line) => line.startsWith('    hardware events: '));
  expect(reasons.length).toBeLessThanOrEqual(1);
});

describe('help', () => {
  test.each([
    [
      ['help', 'record'],
      ['Usage: tracewright record', '--seconds N', '--sample-hz N'],
    ],
    [
      ['call', 'perf_triage', '--help'],
      ['mode=quick|standard|deep', 'default "standard"'],
    ],
    [['read', 'stats://aggregated/process', '-h'], ['Parameters: limit']],
    [['prompt', 'debug_high_latency', '--help'], ['pid=']],
  ])('%j is about that alone', (args, told) => {
    const { stdout, status } = tracewright(...args);
    for (const each of told) expect(stdout).toContain(each);
    expect(stdout).not.toContain('--token-file');
    expect(status).toBe(0);
  });

  test('without a command is about all of them', () => {
    expect(tracewright('help').stdout).toBe(tracewright('--help').stdout);
  });
});
