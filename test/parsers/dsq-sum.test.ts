import { expect, test } from 'vitest';
import { dsqAccumulator } from '../../parsers/dsq/dsq.ts';
import { sumDsq } from '../../parsers/dsq/dsq-sum.ts';

const line = (type: string, data: object): string => `${JSON.stringify({ type, data })}\n`;

/** One print of the maps: counts since the start, the maximum of the interval alone. */
const printed = (inserts: number, waits: readonly number[], max_ns: number): string =>
  [
    line('stats', {
      '@depth': { 7: { count: inserts, average: 1, total: inserts }, 8: { count: 1, total: 1 } },
    }),
    line('hist', {
      '@once_ns': {
        7: waits.map((count, power) => ({ min: 2 ** power, max: 2 ** (power + 1) - 1, count })),
      },
    }),
    line('map', { '@once_max_ns': { 7: max_ns } }),
    line('map', { '@intervals': 1 }),
  ].join('');

test('counts since the start become those of each stretch, and add up again', () => {
  const accumulator = dsqAccumulator();
  accumulator.push(printed(10, [4, 6], 3));
  const first = accumulator.drain();
  accumulator.push(printed(25, [5, 20], 2));
  const second = accumulator.drain();
  expect(first.queues.get('7')).toMatchObject({ inserts: 10, queue_wait: { max_ns: 3 } });
  expect(second.queues.get('7')).toMatchObject({
    inserts: 15,
    queue_wait: {
      max_ns: 2,
      buckets: [
        { min: 1, count: 1 },
        { min: 2, count: 14 },
      ],
    },
  });
  expect(second.queues.has('8'), 'a queue in which nothing happened').toBe(false);
  const both = sumDsq([first, second]);
  expect(both).toMatchObject({ intervals: 2, lost_events: 0 });
  expect(both.queues.get('7')).toMatchObject({
    inserts: 25,
    queue_wait: { max_ns: 3, buckets: [{ count: 5 }, { count: 20 }] },
  });
});

test('a longest wait that was lost between print and clear is at least that of its bucket', () => {
  const accumulator = dsqAccumulator();
  accumulator.push(printed(10, [4, 6], 3));
  accumulator.push(printed(11, [4, 6, 0, 1], 2));
  const { queue_wait } = accumulator.drain().queues.get('7') ?? {};
  expect(queue_wait?.max_ns).toBe(8);
});

test('the maps that bpftrace prints once more at its end are no interval', () => {
  const accumulator = dsqAccumulator();
  accumulator.push(printed(10, [4, 6], 3));
  accumulator.push(line('map', { '@intervals': 0 }));
  expect(accumulator.drain().intervals).toBe(1);
});
