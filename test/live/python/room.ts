import { chmodSync, cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createContext } from '../../../src/context.ts';
import { pythonSettings } from '../../../src/python-settings.ts';
import { surface } from '../../../src/surface.ts';

const cache =
  process.getuid?.() === 0
    ? '/var/cache'
    : (process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'));
const home = process.env['TRACEWRIGHT_SCALENE_HOME'] ?? join(cache, 'tracewright-scalene');

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

// One more to try by hand, such as that of the distribution.
const another = process.env['TRACEWRIGHT_SCALENE_PYTHON'];
if (another) scalenes.splice(0, 2, { version: 'of another Python', python: another });

export type Row = Readonly<Record<string, unknown>>;
export type Line = Readonly<{
  filename: string;
  lineno: number;
  line: string;
  cpu_percent: number;
}> &
  Row;
export type Answer = Readonly<{
  summary: readonly string[];
  warnings: readonly string[];
  data: Row & Readonly<{ profile_id: string; summary: Row; program_output: ProgramOutput }>;
}>;
type ProgramOutput = Readonly<{
  stdout_bytes: number;
  last_stdout: readonly string[];
  last_stderr: readonly string[];
}>;

/** A folder with the programs, readable for everybody, and a server's context that may run them. */
export function pythonRoom(python: string) {
  const room = mkdtempSync(join(tmpdir(), 'tracewright-python-'));
  // mkdtemp makes it for its owner alone; programs run as somebody else.
  chmodSync(room, 0o755);
  const folder = join(room, 'programs');
  cpSync(new URL('programs', import.meta.url).pathname, folder, { recursive: true });
  const ctx = createContext({
    daemon: false,
    readOnly: false,
    stateFolder: join(room, 'state'),
    python: pythonSettings({ SCALENE_PYTHON_EXECUTABLE: python }, folder, { roots: [folder] }),
  });

  async function call(
    name: string,
    args: object,
    signal = new AbortController().signal,
  ): Promise<Answer> {
    const tool = surface.tools({ readOnly: false }).find((each) => each.name === name);
    if (!tool) throw new Error(name);
    const answer: unknown = await surface.callTool(tool, args, ctx, { signal, progress: () => {} });
    return answer as Answer;
  }

  return {
    ctx,
    folder,
    call,
    profile: (script_path: string, args: object = {}) =>
      call('profile_script', { script_path, ...args }),
    /** The dearest lines of a profile. */
    lines: async (type: 'cpu' | 'memory', { data }: Answer): Promise<readonly Line[]> => {
      const { profile_id } = data;
      return (await call(`get_${type}_hotspots`, { profile_id })).data['hotspots'] as Line[];
    },
    functions: async ({ data }: Answer): Promise<readonly Row[]> => {
      const { profile_id } = data;
      const all = await call('get_function_summary', { profile_id, top_n: 500 });
      return all.data['functions'] as Row[];
    },
    remove: () => rmSync(room, { recursive: true, force: true }),
  };
}
