import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { helper_socket } from '../../../src/helper/privileged-runs.ts';
import {
  asNobody,
  canInstall,
  helpersOf,
  installForTest,
  nobody_uid,
} from '../../helper/installed.ts';
import { ofTheUnit } from '../../helper/of-the-unit.ts';

const activate = '/usr/bin/systemd-socket-activate';
const sockets = '/run/tracewright';
const rule = '/etc/sudoers.d/tracewright-live';

let end = async (): Promise<void> => {};

/** A helper that nobody reaches, for the whole run: by the unit's socket, or by sudo behind such a socket. */
export async function setup(): Promise<void> {
  const route = process.env['TRACEWRIGHT_LIVE_HELPER'];
  if (!canInstall || !existsSync(activate) || existsSync(sockets)) {
    throw new Error('needs root, bpftrace and systemd-socket-activate, and no helper installed');
  }
  const installed = installForTest();
  const helper = [process.execPath, installed.bundle, 'helper'];
  const ways = new Map([
    ['socket', ['/usr/bin/setpriv', ...ofTheUnit(installed.bundle), ...helper]],
    ['sudo', ['/usr/bin/setpriv', ...asNobody, '--', '/usr/bin/sudo', '-n', '--', ...helper]],
  ]);
  const way = ways.get(route ?? '');
  if (!way) throw new Error('TRACEWRIGHT_LIVE_HELPER is socket or sudo');
  if (route === 'sudo') {
    const may = `#${nobody_uid} ALL=(root) NOSETENV: NOPASSWD: ${helper.join(' ')}\n`;
    writeFileSync(rule, may, { mode: 0o440 });
  }
  mkdirSync(sockets, { mode: 0o755 });
  const accept = ['--accept', '--inetd', '--listen', helper_socket, '--', ...way];
  const listener: ChildProcess = spawn(activate, accept, { stdio: 'ignore', cwd: '/' });
  while (!existsSync(helper_socket)) await pause(50);
  chownSync(helper_socket, 0, nobody_uid);
  chmodSync(helper_socket, 0o660);
  process.env['TRACEWRIGHT_LIVE_FOLDER'] = installed.folder;
  end = async () => {
    listener.kill('SIGKILL');
    // With SIGKILL their folders would stay until the next start of one.
    for (const each of helpersOf(installed)) process.kill(each, 'SIGTERM');
    while (helpersOf(installed).length > 0) await pause(50);
    rmSync(sockets, { recursive: true, force: true });
    rmSync(rule, { force: true });
    installed.remove();
  };
}

export const teardown = (): Promise<void> => end();
