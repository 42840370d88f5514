import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { frameReader } from '../../src/helper/frames.ts';
import { canInstall, installForTest } from '../helper/installed.ts';

const room = mkdtempSync(join(tmpdir(), 'tracewright-test-etc-'));
afterAll(() => rmSync(room, { recursive: true, force: true }));
const etc = join(room, 'etc');
const file = join(etc, 'tracewright', 'policy.json');

/** On a host whose /etc is this folder, in a mount namespace that ends with the command. */
const words = (bundle: string, args: readonly string[]): string[] => [
  ...['--mount', '--propagation', 'private'],
  ...['sh', '-c', `mount --bind ${etc} /etc && exec "$0" "$@"`],
  ...[process.execPath, bundle, ...args],
];
const onHost = (...args: string[]) =>
  spawnSync('unshare', words(join(process.cwd(), 'dist/cli.js'), args), {
    encoding: 'utf8',
    timeout: 60_000,
  });

const mayMount =
  process.geteuid?.() === 0 &&
  spawnSync('unshare', ['--mount', 'mount', '--bind', tmpdir(), '/etc']).status === 0;

beforeEach(() => {
  rmSync(etc, { recursive: true, force: true });
  mkdirSync(join(etc, 'tracewright'), { recursive: true, mode: 0o755 });
  chmodSync(etc, 0o755);
  chmodSync(join(etc, 'tracewright'), 0o755);
  copyFileSync('/etc/passwd', join(etc, 'passwd'));
});

describe.skipIf(!mayMount)('/etc/tracewright/policy.json (needs root and mount namespaces)', () => {
  test('holds for every start, without an option', () => {
    writeFileSync(file, '{"tools":{"deny":["get_topology"]}}', { mode: 0o644 });
    const { status, stderr } = onHost('call', 'get_topology');
    expect(stderr).toContain('The policy /etc/tracewright/policy.json does not allow the tool');
    expect(status).toBe(1);
  });

  test('stops the server where others may change it', () => {
    writeFileSync(file, '{}');
    chmodSync(file, 0o666);
    const { status, stderr } = onHost('mcp', '--once');
    expect(status).toBe(1);
    expect(stderr).toContain('chmod go-w /etc/tracewright/policy.json');
  });

  test('is not widened by --policy: the stricter of the two holds', () => {
    writeFileSync(file, '{"max_duration_seconds":5}', { mode: 0o644 });
    const wider = join(room, 'wider.json');
    writeFileSync(wider, '{"max_duration_seconds":600,"tools":{"allow":["*"]}}', { mode: 0o644 });
    const { stderr } = onHost(
      'call',
      'perf_offcpu_profile',
      'duration_seconds=6',
      '--policy',
      wider,
    );
    expect(stderr).toContain('The policy /etc/tracewright/policy.json allows at most 5 s, not 6');
  });

  test.skipIf(!canInstall)('holds in the helper, whatever its client was told', async () => {
    writeFileSync(file, '{"max_sample_rate_hz":99}', { mode: 0o644 });
    const installed = installForTest();
    const helper = spawn('unshare', words(installed.bundle, ['helper']), {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    try {
      const refused = new Promise<string>((resolve, reject) => {
        const read = frameReader(({ kind, payload }) => {
          if (kind === 'refused') resolve(payload.toString('utf8'));
          if (kind === 'started') reject(new Error('it was started'));
        });
        helper.stdout.on('data', read);
        helper.once('exit', () => reject(new Error('the helper ended')));
      });
      const parameters = {
        event: { kind: 'sw', name: 'cpu-clock' },
        user_only: false,
        rate: { freq_hz: 199 },
        target: { scope: 'all' },
        callgraph: 'fp',
        output: 'x.data',
        max_bytes: 1024 * 1024,
        duration_ms: 1000,
        private_mounts: true,
      };
      const request = { op: 'start', run: 1, maker: 'perfRecord', parameters };
      helper.stdin.write(`${JSON.stringify(request)}\n`);
      const { code, message } = JSON.parse(await refused);
      expect(code).toBe('NOT_ALLOWED');
      expect(message).toContain('/etc/tracewright/policy.json allows at most 99 samples');
    } finally {
      helper.kill('SIGKILL');
      installed.remove();
    }
  });

  test('is shown by `policy`', () => {
    writeFileSync(file, '{"python":false}', { mode: 0o644 });
    expect(onHost('policy').stdout).toContain('programs of users: are not run');
  });

  test('restricts nothing where it is not there', () => {
    expect(onHost('policy').stdout).toContain('nothing is restricted');
  });
});
