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
const sudo = '/usr/bin/sudo';
const sockets = '/run/tracewright';
const rule = '/etc/sudoers.d/tracewright-live';
const most_ms = 20_000;

let end = (): Promise<void> => Promise.resolve();

/** A helper that the user nobody may reach, for the whole run: started by a socket, or by sudo behind one. */
export async function setup(): Promise<void> {
  const route = process.env['TRACEWRIGHT_LIVE_HELPER'];
  if (route !== 'socket' && route !== 'sudo') {
    throw new Error('TRACEWRIGHT_LIVE_HELPER is socket or sudo');
  }
  if (!canInstall || ![activate, sudo].every((path) => existsSync(path)) || existsSync(sockets)) {
    throw new Error('needs root, bpftrace, sudo and systemd-socket-activate, and no helper there');
  }
  const installed = installForTest();
  const helper = [process.execPath, installed.bundle, 'helper'];
  let listener: ChildProcess | undefined;
  const close = (): void => {
    rmSync(rule, { force: true });
    rmSync(sockets, { recursive: true, force: true });
    listener?.kill('SIGKILL');
    installed.remove();
  };
  // Ctrl-C ends a run without its teardown.
  process.once('exit', close);
  end = async () => {
    close();
    await endAll(() => helpersOf(installed));
  };

  const ways = {
    socket: ['/usr/bin/setpriv', ...ofTheUnit(installed.bundle), ...helper],
    sudo: ['/usr/bin/setpriv', ...asNobody, '--', sudo, '-n', '--', ...helper],
  } as const;
  if (route === 'sudo') {
    const may = `#${nobody_uid} ALL=(root) NOSETENV: NOPASSWD: ${helper.join(' ')}\n`;
    writeFileSync(rule, may, { mode: 0o440 });
  }
  mkdirSync(sockets, { mode: 0o755 });
  const accept = ['--accept', '--inetd', '--listen', helper_socket, '--', ...ways[route]];
  listener = spawn(activate, accept, { stdio: 'ignore', cwd: '/' });
  for (let waited_ms = 0; !existsSync(helper_socket); waited_ms += 50) {
    if (waited_ms > most_ms) throw new Error('nothing listens for the helper');
    await pause(50);
  }
  chownSync(helper_socket, 0, nobody_uid);
  chmodSync(helper_socket, 0o660);
  process.env['TRACEWRIGHT_LIVE_FOLDER'] = installed.folder;
}

export const teardown = (): Promise<void> => end();

/** SIGTERM first: with SIGKILL the folder of a helper stays until the next start of one. */
async function endAll(left: () => readonly number[]): Promise<void> {
  for (let waited_ms = 0; left().length > 0; waited_ms += 50) {
    for (const pid of left()) {
      try {
        process.kill(pid, waited_ms < most_ms ? 'SIGTERM' : 'SIGKILL');
      } catch {
        // It has just ended.
      }
    }
    await pause(50);
  }
}
