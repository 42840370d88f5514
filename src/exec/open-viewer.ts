import { spawn } from 'node:child_process';
import { openFile } from '../../allowlist/open-file.ts';
import { findProgram } from './resolve-program.ts';

/** What a desktop's viewer needs to find the screen; nothing else of the caller's gets through. */
const passed = [
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'XAUTHORITY',
  'XDG_RUNTIME_DIR',
  'XDG_CURRENT_DESKTOP',
  'DBUS_SESSION_BUS_ADDRESS',
  'HOME',
  'LANG',
];

/**
 * Opens a file in the viewer of the desktop, which may go on when we have gone. Null where it was
 * started, else the reason why not.
 */
export function openViewer(
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
): string | null {
  if (process.geteuid?.() === 0) return 'root starts no browser';
  if (!environment['DISPLAY'] && !environment['WAYLAND_DISPLAY']) return 'there is no screen';
  const { program, args } = openFile(path);
  const found = findProgram(program);
  if ('problem' in found) return 'xdg-open is not installed (sudo apt-get install xdg-utils)';
  const env = Object.fromEntries(
    passed.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  const viewer = spawn(found.path, args, {
    shell: false,
    detached: true,
    stdio: 'ignore',
    cwd: '/',
    env: { ...env, PATH: '/usr/local/bin:/usr/bin:/bin' },
  });
  // It ended or could not start: the path is printed all the same.
  viewer.on('error', () => {});
  viewer.unref();
  return null;
}
