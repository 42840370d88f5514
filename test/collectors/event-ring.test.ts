import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitRecords } from '../../src/collectors/event-records.ts';
import { eventRing } from '../../src/collectors/event-ring.ts';

type Ring = ReturnType<typeof eventRing>;

function ringOf(capacity_bytes = 1 << 20) {
  const controls: string[] = [];
  let now_ms = 0;
  const ring = eventRing({
    capacity_bytes,
    now: () => now_ms,
    control: (line) => controls.push(line),
    isControl: (byte) => byte === 'a'.charCodeAt(0),
  });
  return {
    ring,
    controls,
    push: (text: string) => ring.push(Buffer.from(text)),
    pass: (ms: number) => {
      now_ms += ms;
    },
  };
}

/** As far as it needs to look for a whole record. */
function readSome(ring: Ring, after: number) {
  for (let steps = 1; ; steps *= 2) {
    const step = ring.read(after, steps);
    const records = splitRecords(step.bytes, step.skip, step.isEnd);
    if (records.length > 0 || step.isAll) return { step, records };
  }
}

/** Everything behind `after`, as a reader gets it that reads until there is no more. */
function readAll(ring: Ring, after = 0) {
  const texts: string[] = [];
  let at = after;
  let missed = 0;
  for (;;) {
    const { step, records } = readSome(ring, at);
    missed += step.missed;
    at += step.missed + records.length;
    if (records.length === 0) return { texts, missed, at };
    texts.push(...records.map(({ own, text }) => (own ? `own ${text}` : text)));
  }
}

describe('records in the ring', () => {
  test('are numbered from 1 in the order in which they came', () => {
    const { ring, push, pass } = ringOf();
    push('one 1\ntwo 2\n');
    push('three 3\n');
    pass(20);
    expect(readAll(ring).texts).toEqual(['one 1', 'two 2', 'three 3']);
    expect([ring.first(), ring.last()]).toEqual([1, 3]);
    expect(readAll(ring, 2).texts).toEqual(['three 3']);
  });

  test('take the lines that begin with white space with them', () => {
    const { ring, push } = ringOf();
    push('sample 1\n  do_idle+1\n\tstart+2\nother 2\nlast 3\n');
    expect(readAll(ring).texts).toEqual(['sample 1\n  do_idle+1\n\tstart+2', 'other 2']);
  });

  test('are whole when nothing came behind them for a while', () => {
    const { ring, push, pass } = ringOf();
    push('sample 1\n');
    expect(readAll(ring).texts).toEqual([]);
    push('  frame\n');
    pass(20);
    expect(readAll(ring).texts).toEqual(['sample 1\n  frame']);
  });

  test('are whole though a line of control behind them is torn', () => {
    const { ring, push, pass } = ringOf();
    push('one 1\n#     ');
    ring.add({ n: 1 });
    pass(20);
    push('     \n#   ');
    expect(readAll(ring).texts).toEqual(['one 1', 'own {"n":1}']);
  });

  test('are not read before their last line is there', () => {
    const { ring, push, pass } = ringOf();
    push('one 1\ntwo');
    pass(20);
    expect(readAll(ring).texts).toEqual([]);
    push(' 2\n');
    pass(20);
    expect(readAll(ring).texts).toEqual(['one 1', 'two 2']);
  });

  test('end with the program, half a line included', () => {
    const { ring, push } = ringOf();
    push('one 1\ntwo');
    ring.settle();
    expect(readAll(ring).texts).toEqual(['one 1', 'two']);
  });

  test('are the same however the output was torn', () => {
    const text =
      'one 1\n frame a\n\n@map: 3\ntwo 2\n# lost\nalert 4\nthree 3\n  b\n  c\nfour 4\nX\n';
    const whole = ringOf();
    whole.push(text);
    whole.ring.settle();
    const expected = readAll(whole.ring).texts;
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 12 }), (cuts) => {
        const { ring, push, controls } = ringOf();
        const places = [0, ...cuts.sort((a, b) => a - b), text.length];
        for (const [index, from] of places.slice(0, -1).entries()) {
          if (places[index + 1] !== from) push(text.slice(from, places[index + 1]));
        }
        ring.settle();
        expect(readAll(ring).texts).toEqual(expected);
        expect(controls).toEqual(['@map: 3', '# lost', 'alert 4', 'X']);
        expect(ring.printed()).toBe(4);
      }),
    );
  });
});

describe('events of our own', () => {
  test('stand between the records of the program', () => {
    const { ring, push, pass } = ringOf();
    push('one 1\n');
    ring.add({ type: 'system_stat' });
    push('two 2\n');
    pass(20);
    expect(readAll(ring).texts).toEqual(['one 1', 'own {"type":"system_stat"}', 'two 2']);
    expect([ring.last(), ring.printed()]).toEqual([3, 2]);
  });

  test('wait for the end of a line that is torn', () => {
    const { ring, push, pass } = ringOf();
    push('one');
    ring.add({ n: 1 });
    push(' 1\n  frame\ntwo 2\n');
    pass(20);
    expect(readAll(ring).texts).toEqual(['one 1\n  frame', 'own {"n":1}', 'two 2']);
  });

  test('cannot be forged by the name of a task', () => {
    const { ring, push, controls } = ringOf();
    push('exit evil\n\0{"type":"alert"}\n{"type":"alert"}\nexit good\n');
    ring.settle();
    expect(readAll(ring).texts).toEqual(['exit evil', 'exit good']);
    expect(controls).toEqual(['\0{"type":"alert"}', '{"type":"alert"}']);
  });
});

describe('a ring that is too small', () => {
  test('drops the oldest and counts each of them, for every reader by its own place', () => {
    const { ring, push } = ringOf(4096);
    for (let n = 1; n <= 1000; n++) push(`record ${n} ${'x'.repeat(n % 40)}\n`);
    ring.settle();
    for (const after of [0, 10, 500, 950, 990, 1000]) {
      const { texts, missed, at } = readAll(ring, after);
      expect(missed + texts.length).toBe(1000 - after);
      expect(at).toBe(1000);
      expect(missed).toBe(Math.max(0, ring.first() - 1 - after));
      if (texts.length > 0) expect(texts[0]).toContain(`record ${after + missed + 1} `);
    }
  });

  test('counts right when one piece is longer than the whole ring', () => {
    const { ring, push } = ringOf(4096);
    push(Array.from({ length: 1000 }, (_, index) => `record ${index + 1}\n`).join(''));
    ring.settle();
    const { texts, missed } = readAll(ring);
    expect(missed + texts.length).toBe(1000);
    expect(texts.at(-1)).toBe('record 1000');
  });

  test('never takes more memory than its size', () => {
    const { ring, push } = ringOf(4096);
    for (let n = 0; n < 500; n++) push(`record ${n}\n`);
    expect(ring.held_bytes()).toBeLessThanOrEqual(4096);
  });
});

test('numbers go on after the records were let go', () => {
  const { ring, push } = ringOf();
  push('one 1\ntwo 2\n');
  ring.settle();
  ring.release();
  expect([ring.first(), ring.last(), ring.held_bytes()]).toEqual([3, 2, 0]);
  push('three 3\n');
  ring.settle();
  expect(readAll(ring, 1)).toEqual({ texts: ['three 3'], missed: 1, at: 3 });
});

test('a record longer than one step is read all the same', () => {
  const { ring, push } = ringOf(4 << 20);
  push(`sample 1\n${'  frame\n'.repeat(100_000)}other 2\n`);
  ring.settle();
  expect(readAll(ring).texts.map((text) => text.length)).toEqual([8 + 800_000, 7]);
});
