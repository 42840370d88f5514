import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { TracewrightError } from '../errors.ts';
import { type CaptureFile, captureFile } from './capture-file.ts';
import { isManifest, type Manifest } from './manifest.ts';
import { readOwnFile } from './own-file.ts';
import { privateFolder, requirePrivate } from './state-folder.ts';

export type CaptureStore = Readonly<{
  /** Keeps texts under a new id. EXECUTION_FAILED without space, which leaves older ones whole. */
  save(kind: string, title: string, files: Readonly<Record<string, string>>): Manifest;
  /** A capture with one file that is written while it is made, bounded by the quota. */
  begin(kind: string, file: string): CaptureDraft;
  /** Kinds of which there are captures. */
  kinds(): readonly string[];
  /** Newest first. */
  list(kind: string): readonly Manifest[];
  /** Null where there is no such capture or file. */
  read(kind: string, id: string, file: string): string | null;
  /** Where a file of a capture is; null where there is none. */
  path(kind: string, id: string, file: string): string | null;
  /** Puts a view of a capture beside it, and gives its path; null where there is no such capture. */
  view(kind: string, id: string, file: string, bytes: string | Uint8Array): string | null;
  remove(kind: string, id: string): boolean;
  folder: string;
}>;

/** A capture in the making. Nobody sees it before `keep`, and `drop` leaves nothing of it. */
export type CaptureDraft = Readonly<{
  /** EXECUTION_FAILED without space or above the quota; then only `drop` is left to do. */
  append(bytes: Uint8Array): void;
  bytes(): number;
  keep(title: string, files: Readonly<Record<string, string>>): Manifest;
  drop(): void;
}>;

type Limits = Readonly<{ ttl_ms: number; quota_bytes: number; max_captures: number }>;

/** How long a capture is kept. */
export const capture_ttl_ms = 7 * 24 * 3_600_000;

/** What all captures of a kind may have together. */
export const most_kept_bytes = 512 * 1024 * 1024;

const generous: Limits = {
  ttl_ms: capture_ttl_ms,
  quota_bytes: most_kept_bytes,
  max_captures: 200,
};

const id_pattern = /^[a-z]+_[0-9a-z]{8,24}$/;
const view_pattern = /^[a-z][a-z0-9-]{0,80}(?:\.[a-z]{2,10}){1,2}$/;
const file_pattern = /^[a-z][a-z0-9-]{0,40}\.(?:json|txt|pftrace)$/;

/**
 * Captures in a folder of our own: one folder each, made whole under another name and then renamed,
 * so that a full disk or a killed server leaves no half capture. Those older than the TTL go when
 * another is saved; the oldest go when the quota is reached.
 */
export function captureStore(
  folder: string,
  now: () => Date,
  lower: Partial<Limits> = {},
): CaptureStore {
  const limits = { ...generous, ...lower };
  const home = (kind: string): string => join(folder, kind);

  /** Others could have put captures of theirs into it, or links to files of ours. */
  const requireOwn = (kind: string): void => {
    requirePrivate(folder);
    requirePrivate(home(kind));
  };

  const manifestOf = (kind: string, id: string): Manifest | null => {
    if (!id_pattern.test(id)) return null;
    requireOwn(kind);
    try {
      const text = readOwnFile(join(home(kind), id, 'manifest.json'));
      const manifest: unknown = text === null ? null : JSON.parse(text);
      return isManifest(manifest) && manifest.id === id ? manifest : null;
    } catch {
      return null;
    }
  };

  const list = (kind: string): Manifest[] =>
    names(home(kind))
      .flatMap((id) => manifestOf(kind, id) ?? [])
      .sort((a, b) => b.created_at.localeCompare(a.created_at));

  const remove = (kind: string, id: string): boolean => {
    if (manifestOf(kind, id) === null) return false;
    rmSync(join(home(kind), id), { recursive: true, force: true });
    return true;
  };

  const makeRoom = (kind: string): void => {
    let room = limits.quota_bytes;
    for (const [index, each] of list(kind).entries()) {
      room -= Math.max(each.bytes, bytesOf(join(home(kind), each.id)));
      const age_ms = now().getTime() - Date.parse(each.created_at);
      const keep = age_ms <= limits.ttl_ms && room >= 0 && index < limits.max_captures - 1;
      if (!keep) remove(kind, each.id);
    }
  };

  /** Does one step of making a capture; whatever goes wrong in it leaves nothing behind. */
  function attempt<T>(part: string, step: () => T): T {
    try {
      return step();
    } catch (error) {
      rmSync(part, { recursive: true, force: true });
      throw error instanceof TracewrightError ? error : notKept(folder, error);
    }
  }

  function newFolder(kind: string) {
    const id = `${kind}_${now().getTime().toString(36)}${randomBytes(3).toString('hex')}`;
    const part = join(home(kind), `.${id}`);
    requireOwn(kind);
    attempt(part, () => {
      privateFolder(folder);
      privateFolder(home(kind));
      sweepParts(home(kind));
      mkdirSync(part, { mode: 0o700 });
    });
    return { id, kind, part };
  }

  /** Gives a folder that has all of its files its name. */
  function publish(
    { id, kind, part }: ReturnType<typeof newFolder>,
    title: string,
    files: Readonly<Record<string, string>>,
    written = 0,
  ): Manifest {
    const bytes = written + sizeOf(files);
    const manifest = { id, kind, created_at: now().toISOString(), title, bytes };
    attempt(part, () => {
      for (const [name, text] of Object.entries(files)) {
        writeWhole(join(part, named(name)), text);
      }
      writeWhole(join(part, 'manifest.json'), JSON.stringify(manifest));
      renameSync(part, join(home(kind), id));
    });
    makeRoom(kind);
    return manifest;
  }

  return {
    folder,
    list,
    remove,
    kinds: () => names(folder).filter((name) => /^[a-z]+$/.test(name)),
    save(kind, title, files) {
      const bytes = sizeOf(files);
      if (bytes > limits.quota_bytes) throw tooLarge(bytes, limits.quota_bytes);
      return publish(newFolder(kind), title, files);
    },
    begin(kind, file) {
      const made = newFolder(kind);
      const { part } = made;
      const out: CaptureFile = attempt(part, () => captureFile(join(part, named(file))));
      const drop = (): void => {
        process.off('exit', drop);
        out.close();
        rmSync(part, { recursive: true, force: true });
      };
      // Whoever ends us by Ctrl-C wants nothing of it.
      process.once('exit', drop);
      return {
        append(bytes) {
          if (out.bytes() + bytes.length > limits.quota_bytes) {
            drop();
            throw tooLarge(out.bytes() + bytes.length, limits.quota_bytes);
          }
          attempt(part, () => out.append(bytes));
        },
        bytes: out.bytes,
        keep(title, files) {
          attempt(part, out.finish);
          process.off('exit', drop);
          return publish(made, title, files, out.bytes());
        },
        drop,
      };
    },
    path(kind, id, file) {
      if (!file_pattern.test(file) || manifestOf(kind, id) === null) return null;
      const path = join(home(kind), id, file);
      return lstatSync(path, { throwIfNoEntry: false })?.isFile() ? path : null;
    },
    view(kind, id, file, bytes) {
      if (!view_pattern.test(file) || manifestOf(kind, id) === null) return null;
      const path = join(home(kind), id, file);
      try {
        rmSync(path, { force: true });
        writeWhole(path, bytes);
      } catch (error) {
        rmSync(path, { force: true });
        throw notKept(folder, error);
      }
      return path;
    },
    read(kind, id, file) {
      if (!file_pattern.test(file) || manifestOf(kind, id) === null) return null;
      return readOwnFile(join(home(kind), id, file));
    },
  };
}

const sizeOf = (files: Readonly<Record<string, string>>): number =>
  Object.values(files).reduce((sum, text) => sum + Buffer.byteLength(text), 0);

function named(file: string): string {
  if (!file_pattern.test(file)) throw new Error(`bad name: ${file}`);
  return file;
}

/** Views come beside a capture after it was made. */
function bytesOf(path: string): number {
  return names(path)
    .filter((name) => name !== 'manifest.json')
    .reduce(
      (sum, name) => sum + (lstatSync(join(path, name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
}

function writeWhole(path: string, content: string | Uint8Array): void {
  const fd = openSync(path, 'wx', 0o600);
  try {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** What a server that was killed in the middle of saving has left; another may be saving now. */
function sweepParts(path: string): void {
  for (const name of names(path).filter((each) => each.startsWith('.'))) {
    const part = join(path, name);
    const stats = lstatSync(part, { throwIfNoEntry: false });
    if (stats && Date.now() - stats.mtimeMs > 3_600_000) rmSync(part, { recursive: true });
  }
}

function names(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

const tooLarge = (bytes: number, quota: number): TracewrightError =>
  new TracewrightError(
    'EXECUTION_FAILED',
    `The capture has ${bytes} bytes, and all captures together may have ${quota}.`,
    'Capture for a shorter time.',
  );

function notKept(folder: string, error: unknown): TracewrightError {
  const reason = error instanceof Error ? error.message : String(error);
  return new TracewrightError(
    'EXECUTION_FAILED',
    `The capture could not be kept: ${reason}. Older ones are whole.`,
    `Make room on the disk of ${folder}, or start the server with --state-dir elsewhere.`,
    error,
  );
}
