import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tracingObstacle } from '../../src/collectors/bpftrace-tracer.ts';
import { rights } from '../../src/collectors/rights.ts';
import { bpfObstacle } from '../../src/collectors/tracing-obstacles.ts';
import type { Context } from '../../src/context.ts';
import { weakPlace, weakPlaceBelow } from '../../src/exec/root-owned.ts';
import { helperProgram } from '../../src/helper/install.ts';
import { serviceUnit, socketUnit } from '../../src/helper/units.ts';
import { fakeHost, scriptedContext } from '../fake-host.ts';
import { canInstall, type Installed, installForTest, nobody_uid } from './installed.ts';

describe.skipIf(!canInstall)('an installation of root (skipped without root)', () => {
  let installed: Installed;
  beforeAll(() => {
    installed = installForTest();
  });
  afterAll(() => installed.remove());

  test('setup sudo prints a rule for these very words', async () => {
    const { stdout, code } = await installed.asNobody('setup', 'sudo');
    expect(code).toBe(0);
    const words = `${process.execPath} ${installed.bundle} helper`;
    expect(stdout).toContain(`'nobody ALL=(root) NOSETENV: NOPASSWD: ${words}'`);
  });

  test.skipIf(!existsSync('/usr/sbin/visudo'))(
    'which sudo understands (skipped without sudo)',
    async () => {
      const { stdout } = await installed.asNobody('setup', 'sudo');
      const rule = /^echo '(.*)' \| sudo tee/m.exec(stdout)?.[1] ?? '';
      const checked = spawnSync('/usr/sbin/visudo', ['-cf', '-'], { input: `${rule}\n` });
      expect(String(checked.stderr)).toBe('');
      expect(checked.status).toBe(0);
    },
  );

  test.each(['sudo', 'systemd'])('setup %s prints nothing where others may write', async (kind) => {
    const manifest = join(installed.folder, 'package.json');
    chmodSync(manifest, 0o664);
    const { stdout, stderr, code } = await installed.asNobody('setup', kind);
    chmodSync(manifest, 0o644);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain(`Others than root may replace ${manifest}`);
  });

  test('nobody is no helper', async () => {
    const { stderr, code } = await installed.asNobody('helper');
    expect(code).toBe(1);
    expect(stderr).toContain('does not run as root');
  });

  test('a program is looked for where root alone may change it', () => {
    const elsewhere = join(installed.folder, 'missing/dist/cli.js');
    const bundles = [elsewhere, installed.bundle];
    expect(helperProgram(bundles)).toEqual({ node: process.execPath, bundle: installed.bundle });
    expect(helperProgram([elsewhere])).toHaveProperty('weak');
  });
});

describe.skipIf(process.geteuid?.() !== 0)('what others may replace (skipped without root)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tracewright-weak-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'open/inside/file');
  mkdirSync(join(folder, 'open/inside'), { recursive: true });
  writeFileSync(file, '');

  test('is a file, or a folder on the way to it, that others may write or own', () => {
    expect(weakPlace(file)).toBeNull();
    for (const each of [file, join(folder, 'open/inside'), join(folder, 'open')]) {
      chmodSync(each, 0o775);
      expect(weakPlace(file)).toBe(each);
      chmodSync(each, 0o755);
      chownSync(each, nobody_uid, 0);
      expect(weakPlace(file)).toBe(each);
      chownSync(each, 0, 0);
    }
    expect(weakPlace(file)).toBeNull();
  });

  test('is a link of another user’s, wherever it leads now', () => {
    const link = join(folder, 'link');
    symlinkSync(join(folder, 'open'), link);
    expect(weakPlace(join(link, 'inside/file'))).toBeNull();
    spawnSync('chown', ['--no-dereference', String(nobody_uid), link]);
    expect(weakPlace(join(link, 'inside/file'))).toBe(link);
    rmSync(link);
  });

  test('is looked for in everything below a folder', () => {
    expect(weakPlaceBelow(join(folder, 'open'))).toBeNull();
    chmodSync(file, 0o666);
    expect(weakPlaceBelow(join(folder, 'open'))).toBe(file);
  });
});

describe('the units', () => {
  test('nobody closes the socket for others by connecting often, or takes all of it', () => {
    const value = (key: string): number =>
      Number(new RegExp(`^${key}=(\\d+)$`, 'm').exec(socketUnit)?.[1]);
    // systemd's own limit of 200 in two seconds puts the socket out of use until root restarts it.
    expect(value('TriggerLimitIntervalSec')).toBe(0);
    expect(value('MaxConnectionsPerSource')).toBeLessThan(value('MaxConnections'));
  });

  const analyze = '/usr/bin/systemd-analyze';
  test.skipIf(!existsSync(analyze))(
    'are what systemd understands (skipped without systemd)',
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'tracewright-units-'));
      const paths = ['tracewright-helper.socket', 'tracewright-helper@.service'].map((name) =>
        join(folder, name),
      );
      const [socket = '', service = ''] = paths;
      writeFileSync(socket, socketUnit);
      const program = { node: process.execPath, bundle: join(folder, 'a 100% sure\\"path.js') };
      writeFileSync(service, serviceUnit(program));
      const { stderr, status } = spawnSync(analyze, ['verify', '--man=no', ...paths]);
      rmSync(folder, { recursive: true });
      // It also tells of units of the host.
      const ours = String(stderr)
        .split('\n')
        .filter((line) => line.includes('tracewright'));
      expect(ours).toEqual([]);
      expect(status).toBe(0);
    },
  );
});

describe('a server that is not root', () => {
  const kernel = {
    'sys/kernel/btf/vmlinux': 'x',
    'proc/self/status': 'CapEff:\t0000000000000000\n',
  };
  const find: Context['find'] = ({ name }) => ({ path: `/usr/bin/${name}` });
  const user = (parts: Partial<Context>): Context =>
    scriptedContext(fakeHost(kernel), [], { find, ...parts });
  const withHelper = user({ helper: { route: () => 'sudo', problem: () => null } });
  const without = user({ helper: { route: () => null, problem: () => 'It ended.' } });
  const versions = [
    { name: 'bpftrace', version: '0.17.0', path: '/usr/bin/bpftrace', problem: null, fix: null },
  ];
  const bpftrace = { name: 'bpftrace', candidates: [], packages: { apt: '', dnf: '' } };

  test('traces where a helper is there', () => {
    expect(tracingObstacle(withHelper, 'x')).toBeNull();
    expect(bpfObstacle(withHelper, bpftrace, {})).toBeNull();
  });

  test('says why not where it failed', () => {
    expect(tracingObstacle(without, 'x')?.reason).toMatch(/Only root .* It ended\.$/);
    expect(bpfObstacle(without, bpftrace, {})?.reason).toContain('It ended.');
  });

  test('is told by the doctor what is missing, and for which version', () => {
    expect(rights(withHelper, versions)).toEqual({ runs_as: 'user', helper: 'sudo', problems: [] });
    const [tracers, profiles] = rights(without, versions).problems;
    expect(tracers?.reason).toContain('bpftrace 0.17.0 insists on user id 0');
    expect(profiles?.fix).toContain('setcap cap_perfmon');
    const newer = versions.map((each) => ({ ...each, version: '0.25.1' }));
    expect(rights(without, newer).problems[0]?.reason).toContain('also runs with capabilities');
  });

  test('one that is root is told that everything is', () => {
    expect(rights({ ...without, uid: 0 }, versions)).toMatchObject({
      runs_as: 'root',
      problems: [{ what: 'least privilege' }],
    });
  });
});
