/** SIGKILL for a process that is there. Of none, kill(0) would end the whole run of the tests. */
export function killProcess(pid: number | undefined): void {
  if (pid === undefined || pid <= 1) throw new Error('there is no process to be killed');
  process.kill(pid, 'SIGKILL');
}
