import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { programs } from '../../allowlist/programs.ts';
import { createContext } from '../../src/context.ts';
import { v1Client } from '../clients/v1.ts';
import { connectV2 } from '../mcp/connect.ts';

const sshd = ['/usr/sbin/sshd', '/sbin/sshd'].find((path) => existsSync(path));
const ssh = ['/usr/bin/ssh', '/bin/ssh'].find((path) => existsSync(path));
const hasPerf = !(
  'problem' in createContext({ daemon: false, readOnly: false }).find(programs.perf)
);
/** Where a daemon that root starts wants to be able to lock itself in. */
const empty_folder = '/run/sshd';

describe.skipIf(!sshd || !ssh)('over ssh (needs sshd of openssh-server, and ssh)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tracewright-ssh-'));
  const isRoot = process.geteuid?.() === 0;
  const madeFolder = isRoot && !existsSync(empty_folder);
  let daemon: ChildProcess | undefined;
  let port = 0;

  beforeAll(async () => {
    for (const key of ['host', 'user']) {
      execFileSync(`${ssh}-keygen`, ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, key)]);
    }
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    port = Object(probe.address())['port'];
    await new Promise((closed) => probe.close(closed));
    const hostKey = readFileSync(join(folder, 'host.pub'), 'utf8');
    writeFileSync(join(folder, 'known_hosts'), `[127.0.0.1]:${port} ${hostKey}`);
    const config = {
      Port: port,
      ListenAddress: '127.0.0.1',
      HostKey: join(folder, 'host'),
      AuthorizedKeysFile: join(folder, 'user.pub'),
      PidFile: 'none',
      UsePAM: 'no',
      PasswordAuthentication: 'no',
      PermitRootLogin: 'prohibit-password',
      // The keys are below a folder that everybody may write to.
      StrictModes: 'no',
    };
    const lines = Object.entries(config).map(([name, value]) => `${name} ${value}\n`);
    writeFileSync(join(folder, 'config'), lines.join(''));
    if (madeFolder) mkdirSync(empty_folder, { mode: 0o755 });
    daemon = spawn(sshd ?? '', ['-D', '-e', '-f', join(folder, 'config')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    await new Promise<void>((ready, reject) => {
      daemon?.stderr?.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes('Server listening')) ready();
      });
      daemon?.once('exit', (code) => reject(new Error(`sshd ended with ${code}: ${said}`)));
    });
  }, 60_000);

  afterAll(async () => {
    if (daemon && daemon.exitCode === null) {
      daemon.kill('SIGTERM');
      await once(daemon, 'exit');
    }
    if (madeFolder) rmdirSync(empty_folder);
    rmSync(folder, { recursive: true, force: true });
  });

  /** The words after `ssh`, as they stand in the configuration of a client. */
  const words = (name: string): string[] => [
    '-T',
    ...['-F', 'none', '-p', `${port}`, '-i', join(folder, 'user')],
    ...['-o', 'BatchMode=yes', '-o', 'IdentitiesOnly=yes', '-o', 'StrictHostKeyChecking=yes'],
    ...['-o', `UserKnownHostsFile=${join(folder, 'known_hosts')}`],
    `${userInfo().username}@127.0.0.1`,
    ...[process.execPath, resolve('dist/cli.js'), 'mcp', '--state-dir', join(folder, name)],
  ];

  test('a client of 1.x is served as if the server ran here', async () => {
    const server = { command: ssh ?? '', args: words('v1'), cwd: process.cwd() };
    const { client, transport } = v1Client(server);
    await client.connect(transport);
    expect((await client.listTools()).tools.length).toBeGreaterThan(10);
    const answer = await client.callTool({ name: 'get_topology', arguments: {} });
    expect(Object(answer.structuredContent)['data'].summary.total_cpus).toBeGreaterThan(0);
    await client.close();
    await expect.poll(() => serversOf('v1'), { timeout: 20_000 }).toEqual([]);
  });

  test('a client of 2026-07-28 is, too', async () => {
    const { client, close } = await connectV2(ssh ?? '', words('v2'), { era: 'modern' });
    expect((await client.listPrompts()).prompts).not.toEqual([]);
    await close();
    await expect.poll(() => serversOf('v2'), { timeout: 20_000 }).toEqual([]);
  });

  test.skipIf(!hasPerf).each(['client', 'daemon'] as const)(
    'a connection that is dropped on the side of the %s ends the server and what it started (needs perf)',
    { timeout: 60_000 },
    async (side) => {
      const name = `dropped-${side}`;
      const { client, pid, close } = await connectV2(ssh ?? '', words(name));
      const started = await client.callTool({
        name: 'start_perf_profiling',
        arguments: { pid: process.pid, duration_secs: 60 },
      });
      expect(started.isError).toBeFalsy();
      const [server = 0] = serversOf(name);
      expect(childrenOf(server)).not.toEqual([]);
      // The daemon has a process for each connection: the parent of the shell.
      process.kill(side === 'client' ? pid : connectionOf(server), 'SIGKILL');
      await expect.poll(() => serversOf(name), { timeout: 20_000 }).toEqual([]);
      await expect.poll(() => childrenOf(server), { timeout: 10_000 }).toEqual([]);
      await close();
    },
  );

  /** Processes of Node.js that have the state folder of that name. */
  function serversOf(name: string): number[] {
    return processes(
      ([program = '', ...args]) =>
        program === process.execPath && args.includes(join(folder, name)),
    );
  }
});

/** What has the scratch folder of that server on its command line. */
const childrenOf = (server: number): number[] =>
  processes((args) => args.some((each) => new RegExp(`/tracewright-\\d+-${server}-`).test(each)));

function processes(isWanted: (words: string[]) => boolean): number[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return isWanted(words) ? [Number(pid)] : [];
    } catch {
      return [];
    }
  });
}

/** The next process above that is of sshd. */
function connectionOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const parent = Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]);
  if (parent < 2) throw new Error('no sshd above');
  const name = readFileSync(`/proc/${parent}/comm`, 'utf8').trim();
  return name.startsWith('sshd') ? parent : connectionOf(parent);
}
