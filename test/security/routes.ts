import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canInstall, installForTest, nobody_uid } from '../helper/installed.ts';
import { connect } from '../server/stdio.ts';

type Server = ReturnType<typeof connect>;

/** A server that is root, or one of nobody whose helper is root. */
export type Route = Readonly<{
  start(): Server;
  /** Names of the temporary folders of these processes. */
  folders(pids: ReadonlySet<number>): readonly string[];
  remove(): void;
}>;

const withTemporary = (folder: string, start: () => Server): Server => {
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  try {
    return start();
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
};

const foldersIn = (folder: string, pids: ReadonlySet<number>): string[] =>
  readdirSync(folder).filter((name) => pids.has(Number(/^tracewright-\d+-(\d+)-/.exec(name)?.[1])));

export function rootRoute(room: string): Route {
  const temporary = join(room, 'root');
  mkdirSync(temporary, { mode: 0o711 });
  return {
    start: () =>
      withTemporary(temporary, () =>
        connect(['mcp', '--daemon', '--state-dir', join(room, 'state')]),
      ),
    folders: (pids) => foldersIn(temporary, pids),
    remove: () => {},
  };
}

export const canUseSudo: boolean =
  canInstall && existsSync('/usr/bin/sudo') && existsSync('/etc/sudoers.d');

/** The rule is for a copy of this program of its own, and goes with it. */
export function sudoRoute(): Route {
  const installed = installForTest();
  const rule = `/etc/sudoers.d/tracewright-kills-${process.pid}`;
  const words = `${process.execPath} ${installed.bundle} helper`;
  writeFileSync(rule, `#${nobody_uid} ALL=(root) NOSETENV: NOPASSWD: ${words}\n`, { mode: 0o440 });
  const as = ['--reuid=65534', '--regid=65534', '--clear-groups', '--', process.execPath];
  return {
    start: () =>
      connect(
        ['mcp', '--daemon', '--helper', 'sudo', '--state-dir', join(installed.folder, 'state/own')],
        ['/usr/bin/setpriv', ...as, installed.bundle],
      ),
    folders: (pids) => foldersIn(tmpdir(), pids),
    remove() {
      rmSync(rule, { force: true });
      installed.remove();
    },
  };
}
