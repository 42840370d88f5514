import * as z from 'zod/v4';
import { profilePython } from '../../collectors/profile-python.ts';
import type { PythonSource } from '../../collectors/python-program.ts';
import { TracewrightError } from '../../errors.ts';
import { defineTool } from '../define-tool.ts';
import { runAliases, runArguments, summaryFields } from './run-arguments.ts';

export const profileScript = defineTool({
  name: 'profile_script',
  title: 'Profile a Python program',
  toolset: 'python',
  effect: 'run',
  queue: 'python',
  description:
    'Runs a Python file (or module) under Scalene and tells which lines and functions cost time and memory: Python, native and waiting told apart. It RUNS the program, at 1.2 to 5 times its time, without root. Keeps the profile: profile_id for analyze_profile and the others. For a snippet: profile_code; for one that runs already: perf_cpu_profile pid.',
  input: z.strictObject({
    script_path: z.string().max(4096).optional().describe('a .py file below an allowed folder'),
    module: z.string().max(200).optional().describe('instead: what python -m would run'),
    project: z.string().max(4096).default('.').describe('folder of the module'),
    args: z.array(z.string()).max(100).default([]).describe('arguments of the program'),
    timeout: z.number().min(1).max(3600).optional().describe('seconds, default 120'),
    ...runArguments,
  }),
  aliases: runAliases,
  output: summaryFields,
  handle: ({ script_path, module, project, ...rest }, ctx, call) =>
    profilePython(ctx, sourceOf(script_path, module, project), rest, 120, call),
});

function sourceOf(
  path: string | undefined,
  name: string | undefined,
  project: string,
): PythonSource {
  if (path !== undefined && name === undefined) return { kind: 'script', path };
  if (name !== undefined && path === undefined) return { kind: 'module', name, project };
  throw new TracewrightError(
    'INVALID_PARAMS',
    'profile_script takes either script_path or module.',
    'Example: {"script_path": "/home/me/app/main.py"}',
  );
}
