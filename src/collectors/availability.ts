import type { Program } from '../../allowlist/command.ts';
import { programs } from '../../allowlist/programs.ts';
import type { Context } from '../context.ts';
import { runsPrivileged } from './privileges.ts';
import { schedExtState } from './sched-ext.ts';
import { locateTracefs } from './tracefs.ts';

/** Whether this host can answer a resource, and if not, why and what changes it. */
export type Availability = Readonly<{
  available: boolean;
  reason: string | null;
  fix: string | null;
}>;

const yes: Availability = { available: true, reason: null, fix: null };

const no = (reason: string, fix: string | null): Availability => ({
  available: false,
  reason,
  fix,
});

/** What each resource needs beside /proc and /sys. One that is not named needs nothing. */
const needs: Readonly<Record<string, (ctx: Context) => Availability>> = {
  'stats://aggregated/dsq': scheduler,
  'stats://scheduler/raw': scheduler,
  'stats://scheduler/scx': scheduler,
  'events://perf': traceEvents,
  'events://stream': stream,
  'bpf://programs': (ctx) => asRoot(ctx, programs.bpftool),
  'profiling://perf/status': (ctx) => installed(ctx, programs.perf),
  'profiling://perf/results': (ctx) => installed(ctx, programs.perf),
};

/** From a few files: nothing is started for it. */
export function availability(ctx: Context, uri: string): Availability {
  return needs[uri]?.(ctx) ?? yes;
}

function scheduler(ctx: Context): Availability {
  const { active, reason, fix } = schedExtState(ctx);
  return active ? yes : no(reason ?? 'No sched_ext scheduler is loaded.', fix);
}

function stream(ctx: Context): Availability {
  const possible = asRoot(ctx, programs.bpftrace);
  if (!possible.available || ctx.settings.daemon) return possible;
  return no('It is there in daemon mode only.', 'tracewright mcp --daemon');
}

function traceEvents(ctx: Context): Availability {
  const { path, reason, fix } = locateTracefs(ctx);
  if (path !== null || asRoot(ctx, programs.perf).available) return yes;
  return no(reason ?? 'tracefs is not readable.', fix);
}

function installed(ctx: Context, program: Program): Availability {
  const found = ctx.find(program);
  if (!('problem' in found)) return yes;
  const problem = found.problem === 'missing' ? 'is not installed' : 'may be replaced by others';
  return no(`${program.name} ${problem}.`, ctx.install(program));
}

function asRoot(ctx: Context, program: Program): Availability {
  if (!runsPrivileged(ctx)) return no('Only root may do this.', 'sudo tracewright mcp');
  return installed(ctx, program);
}
