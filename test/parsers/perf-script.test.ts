import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { perfScriptParser } from '../../parsers/perf-script/perf-script.ts';
import { parsePerfScript } from '../../parsers/perf-script/samples.ts';

const folder = 'fixtures/perf-script';
const texts = readdirSync(folder).map((name) =>
  readFileSync(`${folder}/${name}/input.txt`, 'utf8'),
);

type Limits = Parameters<typeof perfScriptParser>[1];
/** So little that most is forgotten soon. */
const tight = { texts: 64, text_bytes: 4096, stacks: 16, stack_frames: 512, tasks: 8 };
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Everything a stream tells, as text, with the numbers replaced by what they stand for. */
function stream(pieces: readonly (string | Uint8Array)[], limits?: Limits) {
  const frames: string[] = [];
  const tasks: string[] = [];
  const stacks: string[] = [];
  const samples: string[] = [];
  const parser = perfScriptParser(
    {
      frame: (frame) => frames.push(JSON.stringify(frame)) - 1,
      task: (task) => tasks.push(JSON.stringify(task)) - 1,
      stack: (numbers, depth) =>
        stacks.push([...numbers.subarray(0, depth)].map((number) => frames[number]).join('\n')) - 1,
      sample({ task, stack, cpu, time_s, event, period }) {
        samples.push([tasks[task], cpu, time_s, event, period, stacks[stack]].join('\n'));
      },
    },
    limits,
  );
  for (const piece of pieces) parser.push(typeof piece === 'string' ? encode(piece) : piece);
  return { samples, totals: parser.end() };
}

/** Cuts between any two bytes, so that characters are torn, too. */
function cutAt(text: string, places: readonly number[]): Uint8Array[] {
  const bytes = encode(text);
  const at = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].sort(
    (a, b) => a - b,
  );
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

describe('a stream of perf script text', () => {
  test('gives the same whatever the pieces it comes in', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...texts),
        fc.array(fc.nat(100_000), { maxLength: 40 }),
        (text, places) => {
          expect(stream(cutAt(text, places))).toEqual(stream([text]));
        },
      ),
      { numRuns: 50 },
    );
  });

  test('gives the same whatever the pieces, also of damaged text', () => {
    const damage = fc.record({
      at: fc.nat(100_000),
      byte: fc.constantFrom(...encode('\n \t:0f()[\r'), 255),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...texts),
        fc.array(damage, { maxLength: 20 }),
        fc.array(fc.nat(100_000), { maxLength: 10 }),
        (text, damages, places) => {
          const bytes = encode(text.slice(0, 5000));
          for (const { at, byte } of damages) bytes[at % bytes.length] = byte;
          const cuts = [...places.map((place) => place % bytes.length), bytes.length];
          const pieces = cuts
            .sort((a, b) => a - b)
            .map((end, index) => bytes.subarray(cuts[index - 1] ?? 0, end));
          expect(stream(pieces, tight)).toEqual(stream([bytes], tight));
        },
      ),
      { numRuns: 200 },
    );
  });

  test('gives the same one character at a time', () => {
    for (const text of texts) {
      const part = text.slice(0, 6000);
      expect(stream([...part])).toEqual(stream([part]));
    }
  });

  test('gives the same when it has to forget what it met', () => {
    const text = texts.join('\n');
    // The address of a frame is one that it was met at: after forgetting, a later one.
    const plain = (limits?: Limits) =>
      stream([text], limits).samples.map((sample) => sample.replaceAll(/0x[0-9a-f]+/g, ''));
    expect(plain(tight)).toEqual(plain());
  });

  test('never throws at a torn end, and loses one sample at most', () => {
    fc.assert(
      fc.property(fc.constantFrom(...texts), fc.nat(100_000), (text, place) => {
        const torn = text.slice(0, place % (text.length + 1));
        const whole = stream([text]).samples;
        const { samples, totals } = stream([torn]);
        expect(totals.samples).toBe(samples.length);
        expect(whole.slice(0, Math.max(0, samples.length - 1))).toEqual(samples.slice(0, -1));
      }),
      { numRuns: 50 },
    );
  });

  test('counts each line that it cannot read', () => {
    const { totals } = stream(['nonsense\n'.repeat(50)]);
    expect(totals.odd_lines).toBe(50);
    expect(totals.warnings).toHaveLength(20);
  });

  test('survives any text', () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom(...texts.flatMap((text) => text.split('\n').slice(0, 40))),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const { samples, totals } = stream([lines.join('\n')]);
        expect(totals.samples).toBe(samples.length);
      }),
    );
  });

  test('counts each sample once, however often its lines were met', () => {
    const text = texts.join('\n');
    const once = stream([text]).totals.samples;
    expect(stream([text, '\n', text, '\n', text]).totals.samples).toBe(once * 3);
  });

  test('names each distinct frame once', () => {
    const text = texts.find((each) => each.includes('hotspin')) ?? '';
    let named = 0;
    const parser = perfScriptParser({
      frame: () => named++,
      task: () => 0,
      stack: () => 0,
      sample: () => undefined,
    });
    for (let round = 0; round < 50; round++) parser.push(encode(text));
    const lines = text.split('\n').filter((line) => line.startsWith('\t'));
    expect(named).toBe(new Set(lines.map((line) => line.slice(18))).size);
  });

  test('goes on after a line that never ends', () => {
    const endless = 'x'.repeat(300_000);
    const sample = 'a  1/1  [000]  1.000000: cpu-clock: \n\t    10 f (/bin/a)\n\n';
    const { samples, totals } = stream([sample, endless, endless, '\n', sample]);
    expect(samples).toHaveLength(2);
    expect(totals.warnings[0]?.reason).toBe('a line too long for perf script');
  });

  test('keeps apart what there is no room for at first', () => {
    const stacks = Array.from({ length: 10_000 }, (_, at) => [`inner${at}`, `outer${at % 7}`]);
    const text = stacks
      .map((frames) => {
        const lines = frames.map((symbol) => `\t              10 ${symbol} (/bin/a)\n`);
        return `a  1/1  [000]  1.000000: cpu-clock: \n${lines.join('')}\n`;
      })
      .join('');
    const { samples } = stream([text, text]);
    const symbols = samples.map((sample) =>
      [...sample.matchAll(/"symbol":"(\w+)"/g)].map(([, symbol]) => symbol),
    );
    expect(symbols).toEqual([...stacks, ...stacks]);
  });

  test('takes little memory for a short text', () => {
    const sink = { frame: () => 0, task: () => 0, stack: () => 0, sample: () => undefined };
    const before = process.memoryUsage().arrayBuffers;
    const parser = perfScriptParser(sink);
    for (const text of texts) parser.push(encode(text));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8e6);
    parser.end();
  });

  test('holds stacks of any depth', () => {
    const frames = Array.from(
      { length: 2000 },
      (_, at) => `\t    ${(at + 16).toString(16)} f${at} (/bin/a)`,
    );
    const text = `a  1/1  [000]  1.000000: cpu-clock: \n${frames.join('\n')}\n\n`;
    const { data } = parsePerfScript(text.repeat(2));
    expect(data.samples.map((sample) => sample.frames.length)).toEqual([2000, 2000]);
    expect(data.samples[1]?.frames[1999]?.symbol).toBe('f1999');
  });
});
