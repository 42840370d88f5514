import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createContext } from '../../../src/context.ts';
import { pythonSettings } from '../../../src/python-settings.ts';

const home =
  process.getuid?.() === 0
    ? '/var/cache/tracewright-scalene'
    : join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tracewright-scalene');

/** Pythons with Scalene, as test/live/python/install.sh leaves them. */
export const scalenes = ['1.5.51', '2.3.0'].map((version) => ({
  version,
  python: join(home, version, 'bin/python'),
}));

const absent = scalenes.filter(({ python }) => !existsSync(python)).map(({ version }) => version);

/** Why nothing can be run; empty where both versions are there. */
export const missing =
  absent.length === 0 ? '' : `no Scalene ${absent.join(', ')}: run test/live/python/install.sh`;

// What CI installs must be there: a suite that skips itself would say nothing.
if (missing && process.env['CI']) throw new Error(missing);

/** A folder with the programs, readable for everybody, and a context that may run them. */
export function pythonRoom(python: string) {
  const room = mkdtempSync(join(tmpdir(), 'tracewright-python-'));
  const folder = join(room, 'programs');
  cpSync(new URL('programs', import.meta.url).pathname, folder, { recursive: true });
  const ctx = createContext({
    daemon: false,
    readOnly: false,
    stateFolder: join(room, 'state'),
    python: pythonSettings({ SCALENE_PYTHON_EXECUTABLE: python }, folder, { roots: [folder] }),
  });
  return { ctx, folder, remove: () => rmSync(room, { recursive: true, force: true }) };
}
