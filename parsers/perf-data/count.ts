import { ParseError } from '../parsed.ts';

export type PerfDataCounts = Readonly<{
  samples: number;
  /** Records that the kernel dropped because nobody had emptied its buffer. */
  lost: number;
  /** Times at which the kernel paused an event because it came too often. */
  throttled: number;
  records: number;
}>;

export type PerfDataCounter = Readonly<{
  /** Bytes of the data section that were read so far, the start of a torn record included. */
  bytes(): number;
  push(bytes: Uint8Array): void;
  counts(): PerfDataCounts;
}>;

const type_lost = 2;
const type_throttle = 5;
const type_sample = 9;
const type_lost_samples = 13;
const header_bytes = 8;

/**
 * Counts the records of a perf.data file while perf writes it: the bytes of its data section, in
 * order, in pieces cut anywhere. Each record starts with u32 type, u16 misc, u16 size
 * (include/uapi/linux/perf_event.h, struct perf_event_header):
 *
 *     09 00 00 00 02 00 28 00 …     SAMPLE of 40 bytes
 *     02 00 00 00 00 00 30 00 …     LOST: u64 id, u64 lost
 *
 * Only headers are read, and of LOST and LOST_SAMPLES the number. Since Linux 6.0 perf also writes
 * one LOST_SAMPLES per event at the end, which counts the same losses again: the larger sum is
 * taken. A size below 8 is a ParseError. Compressed recordings (perf record -z) cannot be counted.
 */
export function perfDataCounter(little_endian: boolean): PerfDataCounter {
  let samples = 0;
  let lost = 0;
  let lost_samples = 0;
  let throttled = 0;
  let records = 0;
  let total = 0;
  /** Start of a record whose header or number is not complete yet. */
  let torn = new Uint8Array();
  /** Bytes of the current record that are still to come and do not matter. */
  let skip = 0;

  function count(type: number, size: number, view: DataView, at: number): void {
    records++;
    if (type === type_sample) samples++;
    else if (type === type_throttle) throttled++;
    else if (type === type_lost && size >= 24) lost += u64(view, at + 16);
    else if (type === type_lost_samples && size >= 16) lost_samples += u64(view, at + 8);
  }

  const u64 = (view: DataView, at: number): number => Number(view.getBigUint64(at, little_endian));

  /** Reads the records that start in the bytes; where the first one starts that is cut too short. */
  function walk(bytes: Uint8Array): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    while (at + header_bytes <= bytes.length) {
      const type = view.getUint32(at, little_endian);
      const size = view.getUint16(at + 6, little_endian);
      if (size < header_bytes) throw new ParseError(`a record of ${size} bytes in perf.data`);
      if (at + neededBytes(type, size) > bytes.length) break;
      count(type, size, view, at);
      at += size;
    }
    return at;
  }

  return {
    bytes: () => total,
    push(piece) {
      total += piece.length;
      const skipped = Math.min(skip, piece.length);
      skip -= skipped;
      const bytes = joined(torn, piece.subarray(skipped));
      const end = walk(bytes);
      skip += Math.max(end - bytes.length, 0);
      torn = bytes.slice(end);
    },
    counts: () => ({ samples, lost: Math.max(lost, lost_samples), throttled, records }),
  };
}

/** How much of a record has to be there before it is counted. */
function neededBytes(type: number, size: number): number {
  return type === type_lost || type === type_lost_samples ? size : header_bytes;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
