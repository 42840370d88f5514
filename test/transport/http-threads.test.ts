import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startHttp } from './http-started.ts';

function niceOf(pid: number, thread: string): number {
  const fields = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8').split(') ').at(-1);
  return Number(fields?.split(' ')[16]);
}

test('the thread that answers goes before all others of the server', async () => {
  const { pid } = await startHttp();
  const usual = niceOf(process.pid, String(process.pid));
  const others = readdirSync(`/proc/${pid}/task`).filter((thread) => thread !== String(pid));
  expect(niceOf(pid, String(pid))).toBe(usual);
  expect(others.length).toBeGreaterThanOrEqual(4);
  expect(others.filter((thread) => niceOf(pid, thread) <= usual)).toEqual([]);
});
