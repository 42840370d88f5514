import { accessSync, constants } from 'node:fs';
import type { Command } from '../../allowlist/command.ts';
import { toTracewrightError } from '../errors.ts';
import type { Scratch } from '../exec/scratch.ts';
import type { Running, StartOptions } from '../exec/start.ts';
import type { HelperClient } from './client.ts';

/** How commands that need root are run where we are not: by a helper that is, or not at all. */
export type HelperSetting = 'auto' | 'sudo' | 'socket' | 'none';
export type HelperRoute = 'sudo' | 'socket';

/** What is known of the helper without connecting to it. */
export type Helper = Readonly<{
  /** The way to it; null where there is none, or where it failed a moment ago. */
  route(): HelperRoute | null;
  /** Why the last attempt failed. */
  problem(): string | null;
}>;

/** Running programs and keeping their files, with a helper in between where one is needed. */
export type Runs = Readonly<{
  helper: Helper;
  start(command: Command, options?: StartOptions): Promise<Running>;
  scratch: Scratch;
}>;

export const helper_socket = '/run/tracewright/helper.sock';
/** A rule that is added later is found without a restart. */
const retry_ms = 30_000;

const nobody: Helper = { route: () => null, problem: () => null };

/**
 * Commands with a request go to the helper, all others run as ourselves. Nothing is connected before
 * one is to run. With `auto` a helper that does not answer is passed over; one that was asked for by
 * name is not.
 */
export function privilegedRuns(
  setting: HelperSetting,
  socket: string,
  own: Scratch,
  start: Runs['start'],
): Runs {
  if (setting === 'none' || process.geteuid?.() === 0) {
    return { helper: nobody, start, scratch: own };
  }
  let client: HelperClient | null = null;
  let problem: string | null = null;
  let failed_ms = Number.NEGATIVE_INFINITY;

  function route(): HelperRoute | null {
    if (performance.now() - failed_ms < retry_ms) return null;
    if (setting === 'sudo') return 'sudo';
    return mayConnect(socket) ? 'socket' : null;
  }

  async function viaHelper(way: HelperRoute, command: Command, options: StartOptions | undefined) {
    const { connectHelper } = await import('./connect.ts');
    client ??= connectHelper(way, socket);
    try {
      return await client.start(command, options);
    } catch (thrown) {
      const error = toTracewrightError(thrown);
      if (error.code !== 'PERMISSION_DENIED') throw error;
      problem = error.message;
      failed_ms = performance.now();
      if (setting !== 'auto') throw error;
      return await start(command, options);
    }
  }

  /** A recording of ours is read by ourselves. */
  const isOwn = ({ request }: Command): boolean => {
    const recording = request?.parameters['recording'];
    return request === null || (typeof recording === 'string' && !client?.holds(recording));
  };

  async function startWhere(command: Command, options?: StartOptions): Promise<Running> {
    const way = isOwn(command) ? null : route();
    return way === null ? await start(command, options) : await viaHelper(way, command, options);
  }

  return {
    helper: { route, problem: () => problem },
    start: startWhere,
    scratch: {
      ...own,
      readFrom: (name, offset, bytes) =>
        client?.holds(name)
          ? client.readFrom(name, offset, bytes)
          : own.readFrom(name, offset, bytes),
      remove(name) {
        if (client?.holds(name)) client.remove(name);
        own.remove(name);
      },
    },
  };
}

/** The mode of the socket says who may connect. */
function mayConnect(socket: string): boolean {
  try {
    accessSync(socket, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
