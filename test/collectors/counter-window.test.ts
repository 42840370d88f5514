import { describe, expect, test } from 'vitest';
import { windowMeter } from '../../src/collectors/counter-window.ts';
import { call, fakeHost, scriptedContext } from '../fake-host.ts';

const clock = () => windowMeter((ctx) => ctx.monotonicMs());
const daemon = { settings: { daemon: true, readOnly: false } };
const context = (parts = {}) => scriptedContext(fakeHost({}), [], parts);

describe('a server that does not stay', () => {
  test('waits 500 ms for each read', async () => {
    const [meter, ctx] = [clock(), context()];
    await meter.measure(ctx, undefined, call);
    ctx.pass(10_000);
    const { window_ms } = await meter.measure(ctx, undefined, call);
    expect(ctx.waits).toEqual([500, 500]);
    expect(window_ms).toBe(500);
  });

  test('waits as long as it is told to', async () => {
    const ctx = context();
    const { before, after } = await clock().measure(ctx, 3000, call);
    expect(after - before).toBe(3000);
  });
});

describe('a server that stays', () => {
  test('compares with the last read and does not wait', async () => {
    const [meter, ctx] = [clock(), context(daemon)];
    const first = await meter.measure(ctx, undefined, call);
    ctx.pass(10_000);
    const second = await meter.measure(ctx, undefined, call);
    expect(ctx.waits).toEqual([500]);
    expect(second).toEqual({ before: first.after, after: first.after + 10_000, window_ms: 10_000 });
  });

  test('waits when the last read is older than 300 s or younger than 1 s', async () => {
    const [meter, ctx] = [clock(), context(daemon)];
    await meter.measure(ctx, undefined, call);
    ctx.pass(900);
    await meter.measure(ctx, undefined, call);
    ctx.pass(300_001);
    await meter.measure(ctx, undefined, call);
    expect(ctx.waits).toEqual([500, 500, 500]);
  });

  test('keeps a usable baseline through reads in quick succession', async () => {
    const [meter, ctx] = [clock(), context(daemon)];
    await meter.measure(ctx, undefined, call);
    for (let read = 0; read < 20; read++) {
      ctx.pass(300);
      await meter.measure(ctx, undefined, call);
    }
    // Only the first, and those before the first baseline is a second old.
    expect(ctx.waits.length).toBeLessThanOrEqual(3);
  });

  test('measures afresh when it is told a window', async () => {
    const [meter, ctx] = [clock(), context(daemon)];
    await meter.measure(ctx, undefined, call);
    ctx.pass(5000);
    expect(meter.hasBaseline(ctx, undefined)).toBe(true);
    expect(meter.hasBaseline(ctx, 200)).toBe(false);
    expect((await meter.measure(ctx, 200, call)).window_ms).toBe(200);
  });

  test('keeps nothing of another context', async () => {
    const [meter, one, other] = [clock(), context(daemon), context(daemon)];
    await meter.measure(one, undefined, call);
    other.pass(5000);
    expect(meter.hasBaseline(other, undefined)).toBe(false);
  });
});
