import { ParseError } from '../parsed.ts';

/** What the first bytes of a recording say. */
export type PerfFileHeader = Readonly<{
  little_endian: boolean;
  data_offset: number;
  /** 0 for as long as perf is recording; the records then go on to the end of the file. */
  data_bytes: number;
  /** The first event, or null where its description is not among the bytes given. */
  event: PerfAttr | null;
}>;

/** What perf really opened, which is not always what it was asked for. */
export type PerfAttr = Readonly<{
  /** PERF_TYPE_…: 0 hardware, 1 software, 2 tracepoint. */
  type: number;
  config: number;
  exclude_kernel: boolean;
}>;

/** Bytes to read for the header and the first event: perf writes 104 and event ids between them. */
export const perf_header_bytes = 65_536;

const exclude_kernel_bit = 1 << 5;
const magic_at_least = 104;

/**
 * Header of a perf.data file (tools/perf/Documentation/perf.data-file-format.txt, struct
 * perf_file_header): magic, size, size of an event, then offset and size of the events, of the
 * data and of the event types. The first event is a struct perf_event_attr (perf_event_open(2)).
 *
 *     50 45 52 46 49 4c 45 32  68 00 00 00 00 00 00 00     PERFILE2, 104
 *
 * Null where the file is still too short. A file of the other byte order reads 2ELIFREP.
 */
export function parsePerfHeader(bytes: Uint8Array): PerfFileHeader | null {
  if (bytes.length < magic_at_least) return null;
  const magic = String.fromCharCode(...bytes.subarray(0, 8));
  if (magic !== 'PERFILE2' && magic !== '2ELIFREP') {
    throw new ParseError('not a perf.data file: its magic is missing');
  }
  const little_endian = magic === 'PERFILE2';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u64 = (at: number): number => Number(view.getBigUint64(at, little_endian));
  const attr = u64(24);
  return {
    little_endian,
    data_offset: u64(40),
    data_bytes: u64(48),
    event:
      attr + 48 > bytes.length
        ? null
        : {
            type: view.getUint32(attr, little_endian),
            config: u64(attr + 8),
            exclude_kernel: flagIsSet(view, attr + 40, little_endian),
          },
  };
}

/** The flags are a bit field of 64 bits: in the other byte order its first bit is the highest. */
function flagIsSet(view: DataView, at: number, littleEndian: boolean): boolean {
  if (littleEndian) return (view.getUint32(at, true) & exclude_kernel_bit) !== 0;
  return ((view.getUint32(at, false) >>> 26) & 1) === 1;
}
