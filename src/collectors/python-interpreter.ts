import type { Sandbox } from '../../allowlist/command.ts';
import { type Interpreter, pythonAt, scaleneVersion } from '../../allowlist/scalene.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError, toTracewrightError } from '../errors.ts';

const known = new WeakMap<Context, Map<string, Interpreter | string>>();

/**
 * The first Python that has Scalene: the operator's, one of a virtual environment beside the program,
 * the system's. TOOL_NOT_FOUND says which were asked and what each answered.
 */
export async function findInterpreter(
  ctx: Context,
  beside: string,
  sandbox: Sandbox,
  call: Call,
): Promise<Interpreter> {
  const { chosen, interpreters, roots } = ctx.python;
  const paths =
    chosen.length > 0 ? chosen : [...ctx.environmentPythons(beside, roots), ...interpreters];
  const reasons: string[] = [];
  for (const path of paths) {
    const found = await ask(ctx, path, sandbox, call);
    if (typeof found !== 'string') return found;
    reasons.push(`${path}: ${found}`);
  }
  throw new TracewrightError(
    'TOOL_NOT_FOUND',
    `No Python with Scalene was found (${reasons.slice(0, 6).join('; ')}).`,
    'sudo apt-get install python3-scalene, or `python3 -m pip install scalene` in the virtual environment of the program; or set SCALENE_PYTHON_EXECUTABLE.',
  );
}

/** What an interpreter answers stays the same while the server runs. */
async function ask(
  ctx: Context,
  path: string,
  sandbox: Sandbox,
  call: Call,
): Promise<Interpreter | string> {
  const answers = known.get(ctx) ?? new Map<string, Interpreter | string>();
  known.set(ctx, answers);
  const key = `${path}\0${sandbox.user?.uid ?? ''}`;
  const before = answers.get(key);
  if (before !== undefined) return before;
  const answer = await tryVersion(ctx, path, sandbox, call);
  // One that is not there yet may be installed any moment.
  if (typeof answer !== 'string') answers.set(key, answer);
  return answer;
}

async function tryVersion(
  ctx: Context,
  path: string,
  sandbox: Sandbox,
  call: Call,
): Promise<Interpreter | string> {
  const program = pythonAt(path);
  try {
    const command = scaleneVersion(program, sandbox);
    const { stdout, stderr } = await ctx.run(command, { signal: call.signal });
    const parts = /Scalene version (\d{1,4})\.(\d{1,4})\.(\d{1,4})/.exec(stdout);
    if (parts) {
      const [major = 0, minor = 0, patch = 0] = parts.slice(1).map(Number);
      return { program, version: [major, minor, patch] };
    }
    if (/No module named scalene/.test(stderr)) return 'has no Scalene';
    return sandbox.user ? `user ${sandbox.user.uid} cannot run it` : 'does not answer';
  } catch (thrown) {
    const { code, message } = toTracewrightError(thrown);
    if (code === 'CANCELED') throw thrown;
    return code === 'TOOL_NOT_FOUND' ? 'not there' : message;
  }
}
