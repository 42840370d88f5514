import { programs } from '../../allowlist/programs.ts';
import type { Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import { programVersion } from './program-versions.ts';

/**
 * Whether the bpftrace of this host is 0.`minor` or later; false where there is none. A host that is
 * too busy to have it answer is no old bpftrace: EXECUTION_FAILED.
 */
export async function bpftraceHas(ctx: Context, minor: number): Promise<boolean> {
  const { version, problem } = await programVersion(programs.bpftrace, ctx);
  if (version === null && problem !== null && !('problem' in ctx.find(programs.bpftrace))) {
    throw new TracewrightError(
      'EXECUTION_FAILED',
      `bpftrace does not say its version: ${problem}`,
      'Try again; `bpftrace --version` should answer at once.',
    );
  }
  const [major = 0, found = 0] = (version ?? '').split('.').map(Number);
  return major > 0 || found >= minor;
}

/** 0.21 renamed kfunc to fentry, which the provider is called in the kernel. */
export async function fentryProvider(ctx: Context): Promise<'fentry' | 'kfunc'> {
  return (await bpftraceHas(ctx, 21)) ? 'fentry' : 'kfunc';
}
