/** Leaders of process groups that we started, with what each gets when we go. */
const live = new Map<number, 'SIGKILL' | 'SIGTERM'>();
/** What ends by itself once nobody holds the way to it: helpers. */
const ways = new Set<() => void>();
let isOver = false;

export const addGroup = (leader: number, parentDeathSignal: 'KILL' | 'TERM'): void => {
  live.set(leader, `SIG${parentDeathSignal}`);
  if (isOver) killAllGroups();
};

/** Has it called when we go. */
export const closeAtTheEnd = (close: () => void): void => {
  ways.add(close);
  if (isOver) close();
};

/** Kills what is left of a group whose leader has ended, and forgets it. */
export function endGroup(leader: number): void {
  signalGroup(leader, 'SIGKILL');
  live.delete(leader);
}

/**
 * Sends a signal to every member. Nobody left (ESRCH) is not an error, and neither are members that
 * have become another user's (EPERM): this runs in timers, where a throw would end the server.
 */
export function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}

export const isEnding = (): boolean => isOver;

/** For the last moments of the server: what is started from now on goes at once, too. */
export function endAllGroups(): void {
  isOver = true;
  killAllGroups();
  for (const close of ways) close();
  ways.clear();
}

/**
 * No waiting, no output kept. A program that has something to put back gets its SIGTERM, as it
 * would if we were killed.
 */
export function killAllGroups(): void {
  for (const [leader, signal] of live) signalGroup(leader, signal);
  live.clear();
}
