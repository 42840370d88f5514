import { importedPerfScript } from '../../allowlist/perf-script.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import type { ImportFile } from '../exec/import-file.ts';
import { type Importer, importerFor, importers, isPerfData } from '../profiles/importers.ts';
import { perfScriptReader } from '../profiles/perf-script-reader.ts';
import type { StackProfile } from '../profiles/stack-profile.ts';

export type Imported = Readonly<{
  path: string;
  format: string;
  /** One for each event, the heaviest first. */
  profiles: readonly StackProfile[];
}>;

/**
 * Reads a profile that was recorded elsewhere: perf.data (through perf script), the text of perf
 * script, folded stacks, pprof, wprof's or bpftrace's JSON. Source: the file, below an allowed root.
 *
 * @throws TracewrightError NOT_ALLOWED outside the roots, INVALID_PARAMS for what is no profile
 */
export async function importProfile(ctx: Context, path: string, call: Call): Promise<Imported> {
  const file = ctx.openImport(path);
  try {
    if (isPerfData(file.head)) {
      const profiles = await throughPerf(ctx, file, call);
      return { path: file.path, format: 'perf.data', profiles };
    }
    const importer = importerFor(file.head);
    if (importer === null) throw unknownFormat(file.path);
    checkSize(importer, file);
    const reader = importer.reader();
    for (let piece = file.next(); piece !== null; piece = file.next()) {
      reader.push(piece);
      // Other requests are answered in between.
      await ctx.sleep(0, call.signal);
    }
    return { path: file.path, format: importer.format, profiles: reader.end() };
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'ParseError') throw unreadable(path, thrown);
    throw thrown;
  } finally {
    file.close();
  }
}

async function throughPerf(
  ctx: Context,
  { path, owner }: ImportFile,
  call: Call,
): Promise<readonly StackProfile[]> {
  const reader = perfScriptReader();
  const user = ctx.uid === 0 && owner.uid !== 0 ? owner : null;
  const running = await ctx.start(importedPerfScript(path, user), {
    signal: call.signal,
    onStdoutBytes: (bytes) => reader.push(bytes),
  });
  const { exit_code, stderr, stopped_by } = await running.finished;
  call.signal.throwIfAborted();
  if (exit_code !== 0 && stopped_by === 'exit') {
    throw new TracewrightError(
      'EXECUTION_FAILED',
      `perf script could not read ${path}: ${untrusted(stderr, 300) || 'it said nothing'}`,
      'Make text of it where it was recorded: perf script > profile.txt, and import that.',
    );
  }
  return reader.end();
}

function checkSize({ format, max_bytes }: Importer, file: { path: string; bytes: number }): void {
  if (max_bytes === null || file.bytes <= max_bytes) return;
  throw new TracewrightError(
    'NOT_ALLOWED',
    `${file.path} has ${file.bytes} bytes; of ${format} at most ${max_bytes} are read.`,
    'Import a smaller recording.',
  );
}

const unknownFormat = (path: string): TracewrightError =>
  new TracewrightError(
    'INVALID_PARAMS',
    `${path} is no profile of a known format.`,
    `Known: perf.data, ${importers.map(({ format }) => format).join(', ')}.`,
  );

const unreadable = (path: string, cause: Error): TracewrightError =>
  new TracewrightError(
    'INVALID_PARAMS',
    `${path.slice(0, 200)} cannot be imported: ${cause.message}.`,
    `Known: perf.data, ${importers.map(({ format }) => format).join(', ')}.`,
    cause,
  );
