import { expect, test } from 'vitest';
import { measureNodeProcesses } from '../../src/collectors/node-processes.ts';
import { call, fakeHost, scriptedContext } from '../fake-host.ts';

const stat = (pid: number, comm: string, ticks: number, cpu: number, started = 77): string =>
  `${pid} (${comm}) R 1 1 1 0 -1 0 0 0 0 0 ${ticks} 0 0 0 20 0 1 0 ${started} 0 0 ` +
  `${'0 '.repeat(14)}${cpu} 0 0 0\n`;

const nodeOf = (cpu: number): number | undefined => [0, 0, 1, 1][cpu];

test('processes count on the node of their CPU, the busiest first, others not at all', async () => {
  const root = fakeHost({
    'proc/41/stat': stat(41, 'idle one', 5, 0),
    'proc/42/stat': stat(42, 'busy one', 100, 1),
    'proc/43/stat': stat(43, 'far \u001b[31m one', 10, 3),
    'proc/44/stat': stat(44, 'gone one', 10, 3),
    'proc/45/stat': stat(45, 'former owner', 900, 3),
  });
  const later = {
    'proc/42/stat': stat(42, 'busy one', 150, 1),
    'proc/43/stat': stat(43, 'far \u001b[31m one', 35, 3),
    'proc/44/stat': null,
    'proc/45/stat': stat(45, 'new owner', 20, 2, 99),
    'proc/46/stat': stat(46, 'newcomer', 10, 0),
  };
  const found = await measureNodeProcesses(scriptedContext(root, [later]), 1000, nodeOf, call);
  expect(Object.fromEntries(found)).toEqual({
    0: {
      processes: 3,
      top_processes: [
        { pid: 42, comm: 'busy one', cpu_pct: 50 },
        { pid: 46, comm: 'newcomer', cpu_pct: 10 },
      ],
    },
    1: {
      processes: 2,
      top_processes: [
        { pid: 43, comm: 'far  [31m one', cpu_pct: 25 },
        { pid: 45, comm: 'new owner', cpu_pct: 20 },
      ],
    },
  });
});
