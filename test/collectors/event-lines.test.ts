import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { taskWords } from '../../parsers/stream/short-records.ts';
import { lineSieve } from '../../src/collectors/event-lines.ts';
import {
  type EventQuery,
  type EventSieve,
  eventReader,
} from '../../src/collectors/event-reader.ts';
import { eventRing } from '../../src/collectors/event-ring.ts';
import { objectSieve } from '../../src/collectors/event-sieve.ts';

const tasks = taskWords();
tasks.learn('N\taa\t6d72\t0');
tasks.learn('N\tbb\t2274\t0');

const all: EventQuery = {
  limit: 50_000,
  bytes: 1 << 20,
  types: null,
  pid: null,
  showAddresses: true,
  tasks,
};
const switches = 's\t1000\t100000000000\taa\tbb\t1500\t2500';
const wakeup = 's\t2000\t300000000000\taa\taa\t1\t0';
const nameless = 's\t2000\t300000000000\taa\tcc\t1\t0';
const long = `e\t2000\t${3 * 2 ** 44}\t1\t1\t2\t2\t1\t0\t6d72\t0\t6d72\t0`;
const withQueues = `${switches}\t1\t20\t0\t0\t0\t0\t30`;
const sample = 'p\t3000\t1\t7\t7\t6d72\t0\n  do_idle+1\n\t0xffffffff81000000';
const exit = 'q\t1000\t1\t7\t7\t120\t1\t6d72\t0';
const records = [switches, wakeup, nameless, long, withQueues, sample, exit, 's\t1'];

function ringOf(pieces: readonly (string | object)[]) {
  const ring = eventRing({ capacity_bytes: 1 << 20, now: () => 0, control: () => {} });
  for (const piece of pieces) {
    if (typeof piece === 'string') ring.push(Buffer.from(piece));
    else ring.add(piece);
  }
  ring.settle();
  return ring;
}

async function readAll<P>(
  ring: ReturnType<typeof eventRing>,
  sieveOf: (query: EventQuery) => EventSieve<P>,
  query = all,
  after = 0,
) {
  const reader = eventReader(ring, after, sieveOf(query));
  await reader.advance(new AbortController().signal);
  return reader.slice();
}

const textOf = (pieces: readonly Buffer[]): string =>
  JSON.parse(`"${Buffer.concat(pieces).toString('utf8')}"`);

/** Lines of the program, some of them torn, with events of ours between. */
const output = fc
  .array(fc.oneof(fc.constantFrom(...records), fc.constant({ type: 'trace_started' })), {
    maxLength: 40,
  })
  .chain((parts) =>
    fc.tuple(
      ...parts.map((part) => (typeof part === 'string' ? torn(`${part}\n`) : fc.constant([part]))),
    ),
  )
  .map((parts) => parts.flat());

const torn = (text: string) =>
  fc.nat(text.length).map((at): (string | object)[] => [text.slice(0, at), text.slice(at)]);

describe('lines for programs', () => {
  test('hold the events that others get, from every place on', async () => {
    await fc.assert(
      fc.asyncProperty(output, fc.nat(20), async (pieces, after) => {
        const ring = ringOf(pieces);
        const place = Math.min(after, ring.last());
        const lines = await readAll(ring, lineSieve, all, place);
        const { events, ...rest } = await readAll(ring, objectSieve, all, place);
        expect(textOf(lines.events)).toBe(
          events.map((event) => `${JSON.stringify(event)}\n`).join(''),
        );
        expect({ ...lines, events: [] }).toEqual({ ...rest, events: [] });
        expect(lines.next_seq).toBe(ring.last());
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ['a number of events', { limit: 3 }],
    ['room', { bytes: 700 }],
    ['types', { types: new Set(['exit', 'perf_sample']) }],
    ['a task', { pid: 7 }],
    ['addresses', { showAddresses: false }],
  ])('end and hide where others do, by %s', async (_what, part) => {
    const ring = ringOf([...records, ...records].map((record) => `${record}\n`));
    const query = { ...all, ...part };
    const lines = await readAll(ring, lineSieve, query);
    const { events, ...rest } = await readAll(ring, objectSieve, query);
    expect(events.length).toBeGreaterThan(0);
    expect(textOf(lines.events)).toBe(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    expect({ ...lines, events: [] }).toEqual({ ...rest, events: [] });
  });

  test('go on where the last ones ended', async () => {
    const ring = ringOf(Array.from({ length: 5000 }, () => `${switches}\n${sample}\n`));
    let text = '';
    for (let after = 0; after < ring.last(); ) {
      const { events, next_seq } = await readAll(ring, lineSieve, { ...all, limit: 999 }, after);
      text += textOf(events);
      after = next_seq;
    }
    const numbers = [...text.matchAll(/^\{"seq":(\d+)/gm)].map(([, seq]) => Number(seq));
    expect(numbers).toEqual(Array.from({ length: 10_000 }, (_, index) => index + 1));
  });
});
