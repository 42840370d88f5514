import type { SpawnOptions } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { wrappers } from '../../allowlist/programs.ts';
import { resolveProgram } from './resolve-program.ts';
import { exitOf, spawnProgram } from './spawn-program.ts';

/** A mount namespace in which tracefs is mounted. It is there until `release`. */
export type TracefsNamespace = Readonly<{ path: string; release(): void }>;

const place = '/sys/kernel/tracing';
const known_places = [place, '/sys/kernel/debug/tracing'];
const options: SpawnOptions = { env: {}, stdio: ['pipe', 'pipe', 'ignore'], timeout: 5000 };
/** To make one starts two programs, and who traces once mostly does so again soon. */
const idle_ms = 15_000;

type Kept = { readonly fd: number; users: number; idle: NodeJS.Timeout | undefined };
let kept: Promise<Kept | null> | null = null;

/**
 * A namespace for a tracer on a host where nobody mounted tracefs: mounting it there would change
 * the host. Tracers share it; what the host mounts or unmounts is so in it, too. Null where tracefs
 * is mounted, and where that cannot be done; the tracer then says what it misses.
 */
export async function tracefsNamespace(): Promise<TracefsNamespace | null> {
  const mounted = known_places.some((each) => existsSync(`${each}/events`));
  if (mounted || !existsSync(place)) return null;
  kept ??= newNamespace();
  const wanted = kept;
  let made: Kept | null = null;
  try {
    made = await wanted;
  } finally {
    // The next tracer tries again.
    if (made === null && kept === wanted) kept = null;
  }
  return made && useOf(made);
}

function useOf(made: Kept): TracefsNamespace {
  clearTimeout(made.idle);
  made.users += 1;
  const end = (): void => {
    kept = null;
    closeSync(made.fd);
  };
  return {
    path: `/proc/${process.pid}/fd/${made.fd}`,
    release() {
      made.users -= 1;
      if (made.users === 0) made.idle = setTimeout(end, idle_ms).unref();
    },
  };
}

async function newNamespace(): Promise<Kept | null> {
  // cat holds the namespace until ours is open: it ends when its stdin does, or we.
  const [unshare, nsenter, mount, cat] = (['unshare', 'nsenter', 'mount', 'cat'] as const).map(
    (name) => resolveProgram(wrappers[name]),
  );
  if (!unshare || !nsenter || !mount || !cat) return null;
  const private_mounts = ['--mount', '--propagation', 'slave', '--'];
  const holder = await spawnProgram(unshare, [...private_mounts, cat], options);
  try {
    const entered = new Promise((resolve) => holder.stdout?.once('data', resolve));
    holder.stdin?.write('ready');
    await Promise.race([entered, exitOf(holder)]);
    const namespace = `/proc/${holder.pid}/ns/mnt`;
    const mounting = ['-t', 'tracefs', 'nodev', place];
    const entering = [`--mount=${namespace}`, '--', mount, ...mounting];
    const { exit_code } = await exitOf(await spawnProgram(nsenter, entering, options));
    if (exit_code !== 0) return null;
    return { fd: openSync(namespace, 'r'), users: 0, idle: undefined };
  } finally {
    holder.kill('SIGKILL');
  }
}
