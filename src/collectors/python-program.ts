import type { Sandbox } from '../../allowlist/command.ts';
import type { ScaleneRun } from '../../allowlist/scalene.ts';
import type { Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import type { Workspace } from '../exec/user-workspace.ts';

/** What to run: a file, a text, or a module of a project. */
export type PythonSource =
  | Readonly<{ kind: 'script'; path: string }>
  | Readonly<{ kind: 'code'; text: string }>
  | Readonly<{ kind: 'module'; name: string; project: string }>;

/** A program that is ready to run: as whom, where, and its folder for temporary files. */
export type PythonProgram = Readonly<{
  target: ScaleneRun['target'];
  sandbox: Sandbox;
  workspace: Workspace;
  /** Where virtual environments are looked for. */
  folder: string;
  title: string;
}>;

/** The name under which a text runs; a profile shows it instead of a path that is gone. */
export const snippet_name = 'snippet.py';
const largest_code_bytes = 1024 * 1024;
const largest_memory_bytes = 8 * 2 ** 30;

/** Checks the program and prepares its surroundings. The caller removes the workspace. */
export function preparePython(ctx: Context, source: PythonSource): PythonProgram {
  if (source.kind === 'code') return prepareCode(ctx, source.text);
  const isModule = source.kind === 'module';
  const { roots, asRoot } = ctx.python;
  const file = isModule
    ? ctx.userFile(source.project, roots, 'folder')
    : ctx.userFile(source.path, roots, 'file');
  if (!isModule && !file.path.endsWith('.py')) {
    throw new TracewrightError(
      'INVALID_PARAMS',
      `${source.path.slice(0, 200)} does not end in .py; Scalene runs only files that do.`,
      'Rename it, or give a small .py file that imports it.',
    );
  }
  const user = ctx.programUser(file.owner, asRoot);
  const folder = isModule ? file.path : file.path.slice(0, file.path.lastIndexOf('/')) || '/';
  return {
    target: isModule ? { module: source.name, program_path: file.path } : { script: file.path },
    sandbox: { user, cwd: folder, memory_bytes: memoryLimit(ctx) },
    workspace: ctx.workspace(user),
    folder,
    title: isModule ? `-m ${source.name}` : file.path,
  };
}

function prepareCode(ctx: Context, text: string): PythonProgram {
  if (text.trim() === '' || text.length > largest_code_bytes) {
    throw new TracewrightError(
      'INVALID_PARAMS',
      `code must be 1 to ${largest_code_bytes} characters.`,
      'Save it as a file and use profile_script.',
    );
  }
  const user = ctx.programUser(null, ctx.python.asRoot);
  const workspace = ctx.workspace(user);
  return {
    target: { script: workspace.write(snippet_name, text) },
    sandbox: { user, cwd: workspace.path, memory_bytes: memoryLimit(ctx) },
    workspace,
    folder: ctx.python.roots[0] ?? '/',
    title: snippet_name,
  };
}

/** Three quarters of the memory, so that a runaway program ends before the host suffers. */
function memoryLimit({ files }: Context): number {
  const kib = Number(/^MemTotal:\s+(\d+) kB/m.exec(files.text('/proc/meminfo') ?? '')?.[1]);
  const bytes = Number.isFinite(kib) ? Math.floor(kib * 1024 * 0.75) : largest_memory_bytes;
  return Math.min(bytes, largest_memory_bytes);
}
