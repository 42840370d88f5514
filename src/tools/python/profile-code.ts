import * as z from 'zod/v4';
import { profilePython } from '../../collectors/profile-python.ts';
import { defineTool } from '../define-tool.ts';
import { runAliases, runArguments, summaryFields } from './run-arguments.ts';

export const profileCode = defineTool({
  name: 'profile_code',
  title: 'Profile Python code',
  toolset: 'python',
  effect: 'run',
  queue: 'python',
  description:
    'RUNS Python source text under Scalene, in an empty folder, without root, and tells which lines cost time and memory. Needs a tenth of a second of work to see anything. For a file: profile_script.',
  input: z.strictObject({
    code: z.string().describe('Python source'),
    args: z.array(z.string()).max(100).default([]).describe('arguments of the program'),
    timeout: z.number().min(1).max(3600).optional().describe('seconds, default 60'),
    ...runArguments,
  }),
  aliases: runAliases,
  output: summaryFields,
  handle: ({ code, ...rest }, ctx, call) =>
    profilePython(ctx, { kind: 'code', text: code }, rest, 60, call),
});
