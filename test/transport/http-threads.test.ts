import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startHttp } from './http-started.ts';

function niceOf(pid: number, thread: string): number {
  const fields = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8').split(') ').at(-1);
  return Number(fields?.split(' ')[16]);
}

test('the thread that answers goes before those that compile and collect', async () => {
  const { pid } = await startHttp();
  const { [String(pid)]: answers, ...others } = Object.fromEntries(
    readdirSync(`/proc/${pid}/task`).map((thread) => [thread, niceOf(pid, thread)]),
  );
  expect(answers).toBe(niceOf(process.pid, String(process.pid)));
  // Four compile and collect; the file system has threads of its own, which begin later.
  expect(Object.values(others).filter((nice) => nice === 19).length).toBeGreaterThanOrEqual(4);
});
