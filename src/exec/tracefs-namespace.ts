import { closeSync, existsSync, openSync } from 'node:fs';
import { wrappers } from '../../allowlist/programs.ts';
import { resolveProgram } from './resolve-program.ts';

/** A mount namespace in which tracefs is mounted. It is there until `release`. */
export type TracefsNamespace = Readonly<{ path: string; release(): void }>;

const place = '/sys/kernel/tracing';
const known_places = [place, '/sys/kernel/debug/tracing'];
const limit_ms = 5000;
const options = { env: {}, extendEnv: false, reject: false, timeout: limit_ms } as const;

/**
 * A namespace for a tracer on a host where nobody mounted tracefs: mounting it there would change
 * the host. Null where it is mounted, and where that cannot be done; the tracer then says what it
 * misses.
 */
export async function tracefsNamespace(): Promise<TracefsNamespace | null> {
  const mounted = known_places.some((each) => existsSync(`${each}/events`));
  if (mounted || !existsSync(place)) return null;
  const { execa } = await import('execa');
  // cat holds the namespace until ours is open: it ends when its stdin does, or we.
  const [unshare, nsenter, mount, cat] = (['unshare', 'nsenter', 'mount', 'cat'] as const).map(
    (name) => resolveProgram(wrappers[name]),
  );
  if (!unshare || !nsenter || !mount || !cat) return null;
  const holder = execa(unshare, ['--mount', '--propagation', 'slave', '--', cat], options);
  try {
    const entered = new Promise((resolve) => holder.stdout.once('data', resolve));
    holder.stdin.on('error', () => {}).write('ready');
    await Promise.race([entered, holder]);
    const namespace = `/proc/${holder.pid}/ns/mnt`;
    const mounting = ['-t', 'tracefs', 'nodev', place];
    const done = await execa(nsenter, [`--mount=${namespace}`, '--', mount, ...mounting], options);
    if (done.exitCode !== 0) return null;
    const fd = openSync(namespace, 'r');
    return { path: `/proc/${process.pid}/fd/${fd}`, release: () => closeSync(fd) };
  } finally {
    holder.kill('SIGKILL');
  }
}
