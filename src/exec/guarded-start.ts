import type { Command } from '../../allowlist/command.ts';
import { type Finished, type Running, type StartOptions, start, toTheEnd } from './start.ts';

/** What stands between whoever asks for a program and its start. */
export type Guard = Readonly<{
  /** The command as it may run, or a throw. */
  admit(command: Command): Command;
  /** Told of each attempt; what it gives is told of its end. Neither may throw. */
  record?: ((command: Command) => Attempt) | undefined;
}>;

export type Attempt = Readonly<{
  ended(finished: Finished): void;
  failed(error: unknown): void;
}>;

export type Starters = Readonly<{
  start(command: Command, options?: StartOptions): Promise<Running>;
  run(command: Command, options?: StartOptions): Promise<Finished>;
}>;

/**
 * `start` and `run` behind a guard. All that Tracewright starts goes through one of these, in the
 * server as in a privileged helper.
 */
export function guarded({ admit, record }: Guard, starter = start): Starters {
  const guardedStart: Starters['start'] = async (command, options) => {
    const attempt = record?.(command);
    try {
      const running = await starter(admit(command), options);
      if (attempt) running.finished.then(attempt.ended, attempt.failed);
      return running;
    } catch (error) {
      attempt?.failed(error);
      throw error;
    }
  };
  return {
    start: guardedStart,
    run: (command, options) => toTheEnd(guardedStart(command, options)),
  };
}
