import { describe, expect, test } from 'vitest';
import type { Tracer } from '../../src/collectors/bpftrace-tracer.ts';
import { mapPrints } from '../../src/collectors/printed-maps.ts';
import { scriptedContext } from '../fake-host.ts';
import { emptyFolder } from '../fake-topology.ts';
import { call } from '../stepped-context.ts';

const printOf = (count: number): string => `{"type": "map", "data": {"@prints": ${count}}}\n`;

/** `answer` gives what the program prints on the nth request; a wait lasts as in bpftrace-tracer.ts. */
function setup(answer: (request: number) => string) {
  const ctx = scriptedContext(emptyFolder());
  const prints = mapPrints(ctx);
  let requests = 0;
  const tracer: Tracer = {
    pid: 1,
    printMaps: () => {
      requests += 1;
      prints.push(answer(requests));
    },
    async until(reached, signal) {
      while (!reached()) {
        signal?.throwIfAborted();
        await ctx.sleep(20);
      }
    },
    stop: () => Promise.resolve(),
    ended: () => false,
    finished: Promise.resolve(),
  };
  return { ctx, prints, tracer };
}

describe('maps that are printed on request', () => {
  test('are attached once the program says so, not once bpftrace counts its probes', () => {
    const { prints } = setup(() => '');
    prints.push('{"type": "attached_probes", "data": {"probes": 9}}\n');
    expect(prints.attached()).toBe(false);
    prints.push('{"type": "printf", "data": "attached\\n"}\n');
    expect(prints.attached()).toBe(true);
  });

  test('come whole, in whatever pieces, and without those of the print before', async () => {
    const { prints, tracer } = setup((request) => `map ${request}\n${printOf(request)}`);
    expect((await prints.next(tracer, call)).text).toBe('map 1');
    const text = `map 2\n\nmap 2, too\n${printOf(2)}`;
    const torn = setup(() => '');
    torn.prints.push(`map 1\n${printOf(1)}`);
    for (const piece of text) torn.prints.push(piece);
    expect((await prints.next(tracer, call)).text).toBe('map 2');
    const later = torn.prints.next(torn.tracer, call);
    torn.prints.push(`map 3\n${printOf(3)}`);
    expect((await later).text).toBe('map 3');
  });

  test('tell when they had arrived', async () => {
    const { ctx, prints, tracer } = setup(() => '');
    const print = prints.next(tracer, call);
    ctx.pass(700);
    prints.push(printOf(1));
    expect((await print).at_ms).toBe(1700);
  });

  test('of a request that was given up are not taken for those of the next', async () => {
    const { prints, tracer } = setup(() => '');
    const stop = new AbortController();
    const given_up = prints.next(tracer, { signal: stop.signal });
    stop.abort();
    await expect(given_up).rejects.toThrow();
    const next = prints.next(tracer, call);
    prints.push(`late\n${printOf(1)}`);
    prints.push(`now\n${printOf(2)}`);
    expect((await next).text).toBe('now');
  });

  test('that never come are an error with a reason', async () => {
    const { prints, tracer } = setup(() => 'map\n');
    await expect(prints.next(tracer, call)).rejects.toThrow(/did not print its maps within 20 s/);
  });
});
