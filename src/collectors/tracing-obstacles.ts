import type { Program } from '../../allowlist/command.ts';
import type { Context } from '../context.ts';
import { type Capability, hasCapability } from '../procfs/effective-capabilities.ts';
import { kernelFacts } from './kernel-facts.ts';
import { helperProblem, runsPrivileged } from './privileges.ts';
import { pidsDiffer } from './traced-process.ts';
import { add_sys_admin, locateTracefs } from './tracefs.ts';

/** Why something cannot be used here, and the command that changes it (null: nothing does). */
export type Obstacle = Readonly<{ reason: string; fix: string | null }>;

/** What a tracer needs of the kernel. */
export type Needs = Readonly<{
  /** "subsystem:name". Checked where tracefs can be read; else the tracer finds out. */
  tracepoints?: readonly string[];
  btf?: boolean;
  kprobes?: boolean;
  /** Headers of the running kernel, against which BCC compiles. */
  headers?: boolean;
  /** It filters by process: tracers number processes as the host does. */
  pid?: boolean;
}>;

/** The first thing in the way of a BPF program; null where it can be tried. */
export function bpfObstacle(ctx: Context, program: Program, needs: Needs): Obstacle | null {
  return (
    readOnlyObstacle(ctx) ??
    programObstacle(ctx, program) ??
    rightsObstacle(ctx) ??
    kernelObstacle(ctx, needs)
  );
}

/** A server that was told to attach nothing. */
export function readOnlyObstacle(ctx: Context): Obstacle | null {
  if (!ctx.settings.readOnly) return null;
  return {
    reason: 'This server is read-only and attaches nothing.',
    fix: 'Start it without --read-only.',
  };
}

export function programObstacle(ctx: Context, program: Program): Obstacle | null {
  const found = ctx.find(program);
  if (!('problem' in found)) return null;
  if (found.problem === 'missing') {
    return { reason: `${program.name} is not installed.`, fix: ctx.install(program) };
  }
  return {
    reason: `${found.path} can be changed by others than root, so root does not run it.`,
    fix: `sudo chown root:root ${found.path} && sudo chmod go-w ${found.path}`,
  };
}

/** Who may load and list BPF programs. */
export function rightsObstacle(ctx: Context): Obstacle | null {
  if (ctx.uid !== 0) {
    if (runsPrivileged(ctx)) return null;
    const reason = `Only root may load BPF programs.${helperProblem(ctx)}`;
    return { reason, fix: 'sudo tracewright mcp' };
  }
  // Where nothing tells, the kernel does when it is tried.
  const has = (capability: Capability): boolean => hasCapability(ctx.files, capability) !== false;
  if (has('sys_admin') || (has('bpf') && has('perfmon'))) return null;
  const reason = 'This root user has neither CAP_SYS_ADMIN nor CAP_BPF with CAP_PERFMON.';
  return { reason, fix: add_sys_admin };
}

function kernelObstacle(ctx: Context, needs: Needs): Obstacle | null {
  if (needs.pid && pidsDiffer(ctx)) {
    return {
      reason: 'In this PID namespace processes have other numbers than tracers give them.',
      fix: 'Start the server in the PID namespace of the host (docker run --pid=host).',
    };
  }
  const { btf, kprobes, lockdown } = kernelFacts(ctx);
  if (lockdown.value === 'confidentiality') {
    return { reason: 'Kernel lockdown refuses BPF reads of its memory.', fix: lockdown.fix };
  }
  if (needs.btf && btf.value !== true) return { reason: btf.reason ?? '', fix: btf.fix };
  if (needs.kprobes && kprobes.value === false) {
    return { reason: kprobes.reason ?? '', fix: kprobes.fix };
  }
  return (needs.headers ? headersObstacle(ctx) : null) ?? missingTracepoint(ctx, needs);
}

/** CONFIG_IKHEADERS carries them in the kernel itself. */
function headersObstacle({ files }: Context): Obstacle | null {
  const release = files.text('/proc/sys/kernel/osrelease')?.trim() ?? '';
  const places = ['/sys/kernel/kheaders.tar.xz', `/lib/modules/${release}/build`];
  if (places.some((each) => files.exists(each))) return null;
  return {
    reason: `BCC compiles against kernel headers, and there are none for ${release}.`,
    fix: `sudo apt-get install linux-headers-${release}`,
  };
}

function missingTracepoint(ctx: Context, { tracepoints = [] }: Needs): Obstacle | null {
  const folder = locateTracefs(ctx).path;
  if (folder === null) return null;
  const missing = tracepoints.find(
    (each) => !ctx.files.exists(`${folder}/events/${each.replace(':', '/')}`),
  );
  if (missing === undefined) return null;
  return { reason: `This kernel has no tracepoint ${missing}.`, fix: null };
}
