import { ParseError } from '../../parsers/parsed.ts';
import { perfScriptReader } from './perf-script-reader.ts';
import type { ProfileReader } from './profile-reader.ts';
import { readBpftrace } from './read-bpftrace.ts';
import { readFolded } from './read-folded.ts';
import { readPprof } from './read-pprof.ts';
import { readWprof } from './read-wprof.ts';
import type { StackProfile } from './stack-profile.ts';

export type Importer = Readonly<{
  format: string;
  /** Whether a file that begins like this is one; the first importer that says so reads it. */
  fits(head: string): boolean;
  /** Largest file; null where memory does not follow its size. */
  max_bytes: number | null;
  reader(): ProfileReader;
}>;

const isSampleType = (head: string): boolean =>
  head.startsWith('\n') && head.charCodeAt(1) < 20 && head.charCodeAt(2) === 8;

const megabyte = 1024 * 1024;

/** Formats that are read here, the surest to be told apart first. */
export const importers: readonly Importer[] = [
  {
    format: 'pprof',
    // gzip, or the first field of a Profile: sample_type, of few bytes.
    fits: (head) => head.startsWith('\u001f\u008b') || isSampleType(head),
    max_bytes: 64 * megabyte,
    reader: () => whole((bytes) => [readPprof(bytes)]),
  },
  {
    format: 'wprof JSON',
    fits: (head) => /^\s*\{.*"(?:stack_cnt|timer_freq_hz)"/.test(firstLine(head)),
    max_bytes: 400 * megabyte,
    reader: () => wholeText(readWprof),
  },
  {
    format: 'bpftrace JSON',
    fits: (head) => /^\s*\{"type": ?"/.test(firstLine(head)),
    max_bytes: 200 * megabyte,
    reader: () => wholeText(readBpftrace),
  },
  {
    format: 'perf script',
    fits: (head) => /^(?:#.*\n)* *\S.*?[ /]\d+\s+(?:\[\d+\]\s+)?(?:\S+\s+)?\d+\.\d+: /.test(head),
    max_bytes: null,
    reader: perfScriptReader,
  },
  {
    format: 'folded stacks',
    fits: (head) => /^(?:#.*\n)*.*\S \d+(?:\.\d+)?\r?(?:\n|$)/.test(head),
    max_bytes: 400 * megabyte,
    reader: () => wholeText((text) => [readFolded(text)]),
  },
];

/** Begins like this in files of perf record; perf script makes text of them. */
export const isPerfData = (head: Uint8Array): boolean => textOf(head.subarray(0, 8)) === 'PERFILE2';

export const importerFor = (head: Uint8Array): Importer | null =>
  importers.find(({ fits }) => fits(textOf(head))) ?? null;

/** Bytes as characters of the same number: what a pattern sees is what is there. */
const textOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes.subarray(0, 4096));

const firstLine = (text: string): string => text.trimStart().split('\n', 1)[0] ?? '';

function whole(read: (bytes: Uint8Array) => readonly StackProfile[]): ProfileReader {
  const pieces: Uint8Array[] = [];
  let size = 0;
  return {
    push(bytes) {
      pieces.push(bytes.slice());
      size += bytes.length;
    },
    end() {
      const all = new Uint8Array(size);
      let at = 0;
      for (const piece of pieces) {
        all.set(piece, at);
        at += piece.length;
      }
      return read(all);
    },
  };
}

function wholeText(read: (text: string) => readonly StackProfile[]): ProfileReader {
  const decoder = new TextDecoder();
  let text = '';
  return {
    push(bytes) {
      text += decoder.decode(bytes, { stream: true });
    },
    end() {
      if (text.includes('\u0000')) throw new ParseError('this is no text');
      return read(text + decoder.decode());
    },
  };
}
