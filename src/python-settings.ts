/** What the operator allows and prefers for Python programs. Fixed when the server starts. */
export type PythonSettings = Readonly<{
  /** Folders whose programs may be run. */
  roots: readonly string[];
  /** Pythons to look for Scalene in, first to last, after those of virtual environments. */
  interpreters: readonly string[];
  /** Asked for by SCALENE_PYTHON_EXECUTABLE: the first of these that is there, and no other. */
  chosen: readonly string[];
  timeout_s: number | null;
  cpu_percent_threshold: number | null;
  malloc_threshold: number | null;
  /** Programs of users run as root where the server does. */
  asRoot: boolean;
}>;

type Environment = Readonly<Record<string, string | undefined>>;

/** From the environment variables that the documents name, and the options of the command line. */
export function pythonSettings(
  environment: Environment,
  cwd: string,
  options: Readonly<{ roots?: readonly string[] | undefined; asRoot?: boolean | undefined }> = {},
): PythonSettings {
  const { HOME, PATH = '' } = environment;
  // Started by a desktop client the working folder is "/": all files of the host are no root.
  const usual = cwd === '/' ? [HOME ?? '/nonexistent'] : [cwd];
  const onPath = PATH.split(':').filter((folder) => folder.startsWith('/'));
  return {
    roots: options.roots?.length ? options.roots : usual,
    interpreters: [
      ...['/usr/bin/python3', '/usr/local/bin/python3'],
      ...onPath.map((folder) => `${folder}/python3`),
    ].filter((path, index, all) => all.indexOf(path) === index),
    chosen: chosenPaths(environment['SCALENE_PYTHON_EXECUTABLE'] ?? '', cwd, onPath),
    timeout_s: number(environment['SCALENE_TIMEOUT'], 1, 3600),
    cpu_percent_threshold: number(environment['SCALENE_CPU_PERCENT_THRESHOLD'], 0, 100),
    malloc_threshold: number(environment['SCALENE_MALLOC_THRESHOLD'], 0, 1e9),
    asRoot: options.asRoot ?? false,
  };
}

/** A path, or a name to look for as a shell does. */
function chosenPaths(asked: string, cwd: string, onPath: readonly string[]): readonly string[] {
  if (asked === '') return [];
  if (asked.startsWith('/')) return [asked];
  const folder = cwd === '/' ? '' : cwd;
  if (asked.includes('/')) return [`${folder}/${asked.replace(/^(?:\.\/)+/, '')}`];
  return onPath.map((each) => `${each}/${asked}`);
}

function number(text: string | undefined, min: number, max: number): number | null {
  const value = Number(text);
  return text !== undefined && text !== '' && value >= min && value <= max ? value : null;
}
