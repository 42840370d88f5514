/** Process groups that we started and that may still have members. */
const live = new Set<number>();

export const addGroup = (leader: number): void => {
  live.add(leader);
};

/** Kills what is left of a group whose leader has ended, and forgets it. */
export function endGroup(leader: number): void {
  signalGroup(leader, 'SIGKILL');
  live.delete(leader);
}

/** Sends a signal to every member. A group without members is not an error. */
export function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch (error) {
    const gone = error instanceof Error && 'code' in error && error.code === 'ESRCH';
    if (!gone) throw error;
  }
}

/** For the last moments of the server: no waiting, no output kept. */
export function killAllGroups(): void {
  for (const leader of live) endGroup(leader);
}
