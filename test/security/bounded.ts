import { createContext, Script } from 'node:vm';

const script = new Script('work()');
const inside: { work: () => void } = { work: () => {} };
const context = createContext(inside);

/** Runs this and ends it when it takes longer, also inside one regular expression. */
export function bounded(work: () => void, limit_ms: number): void {
  inside.work = work;
  script.runInContext(context, { timeout: limit_ms });
}

/** CPU time in ms: what other programs do beside does not count, or hardly. */
export function cpuTime(work: () => void, limit_ms: number): number {
  const before = process.cpuUsage();
  bounded(work, limit_ms);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
