import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ParseError } from '../../parsers/parsed.ts';
import { perfDataCounter } from '../../parsers/perf-data/count.ts';
import { parsePerfHeader } from '../../parsers/perf-data/file-header.ts';

type Kind = Readonly<{ type: number; size: number; values?: readonly number[] }>;

function record({ type, size, values = [] }: Kind, little = true): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, little);
  view.setUint16(6, size, little);
  for (const [index, value] of values.entries())
    view.setBigUint64(8 + index * 8, BigInt(value), little);
  return bytes;
}

const sample = (size: number): Kind => ({ type: 9, size });
const lost = (count: number): Kind => ({ type: 2, size: 48, values: [548, count] });
const lostSamples = (count: number): Kind => ({ type: 13, size: 32, values: [count] });
const throttle: Kind = { type: 5, size: 32 };
const unthrottle: Kind = { type: 6, size: 32 };
const other: Kind = { type: 68, size: 8 };

const join = (parts: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]));

function counts(bytes: Uint8Array, pieces: readonly number[] = [], little = true) {
  const counter = perfDataCounter(little);
  const ends = [...pieces.map((at) => at % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  let at = 0;
  for (const end of ends) {
    counter.push(bytes.subarray(at, end));
    at = end;
  }
  return { ...counter.counts(), bytes: counter.bytes() };
}

describe('records of perf.data', () => {
  const all = [sample(40), lost(7), other, sample(1200), throttle, unthrottle, lost(5), sample(8)];

  test('are counted by type, with the numbers that the kernel dropped', () => {
    const bytes = join(all.map((each) => record(each)));
    expect(counts(bytes)).toEqual({
      samples: 3,
      lost: 12,
      throttled: 1,
      records: 8,
      bytes: bytes.length,
    });
  });

  test('give the same in the other byte order', () => {
    const bytes = join(all.map((each) => record(each, false)));
    expect(counts(bytes, [], false)).toMatchObject({
      samples: 3,
      lost: 12,
      throttled: 1,
      records: 8,
    });
  });

  test('give the same whatever the pieces they come in', () => {
    const kind = fc.oneof(
      fc.integer({ min: 8, max: 65_000 }).map(sample),
      fc.nat(1000).map(lost),
      fc.constantFrom(throttle, unthrottle, other),
    );
    fc.assert(
      fc.property(fc.array(kind, { maxLength: 12 }), fc.array(fc.nat(200_000)), (kinds, pieces) => {
        const bytes = join(kinds.map((each) => record(each)));
        expect(counts(bytes, pieces)).toEqual(counts(bytes));
      }),
      { numRuns: 60 },
    );
  });

  test('that say the same losses twice count them once', () => {
    const bytes = join(
      [lost(300), lost(200), lostSamples(450), lostSamples(49)].map((each) => record(each)),
    );
    expect(counts(bytes).lost).toBe(500);
  });

  test('without a size are an error, not an endless loop', () => {
    expect(() => counts(new Uint8Array(64))).toThrow(ParseError);
  });

  test('that are still being written are not counted yet', () => {
    const bytes = join([sample(40), lost(9)].map((each) => record(each)));
    expect(counts(bytes.subarray(0, 46))).toMatchObject({ samples: 1, lost: 0 });
    expect(counts(bytes.subarray(0, 60))).toMatchObject({ samples: 1, lost: 0 });
  });
});

describe('the header of perf.data', () => {
  function header(little: boolean, flags: bigint, data_bytes: number): Uint8Array {
    const bytes = new Uint8Array(400);
    const view = new DataView(bytes.buffer);
    bytes.set(new TextEncoder().encode(little ? 'PERFILE2' : '2ELIFREP'));
    const u64 = (at: number, value: number) => view.setBigUint64(at, BigInt(value), little);
    u64(8, 104);
    u64(24, 144);
    u64(40, 424);
    u64(48, data_bytes);
    view.setUint32(144, 1, little);
    u64(152, 3);
    view.setBigUint64(184, flags, little);
    return bytes;
  }

  test.each([
    ['little', true, 1n << 5n],
    ['big', false, 1n << 58n],
  ])('tells where the records are and what was opened (%s endian)', (_name, little, bit) => {
    expect(parsePerfHeader(header(little, bit, 0))).toEqual({
      little_endian: little,
      data_offset: 424,
      data_bytes: 0,
      event: { type: 1, config: 3, exclude_kernel: true },
    });
    expect(parsePerfHeader(header(little, ~bit & 0xffffffffffffffffn, 1000))).toMatchObject({
      data_bytes: 1000,
      event: { exclude_kernel: false },
    });
  });

  test('is null while it is not written, and an error where it is none', () => {
    expect(parsePerfHeader(new Uint8Array(50))).toBeNull();
    expect(() => parsePerfHeader(new Uint8Array(200))).toThrow(ParseError);
  });
});
