import { randomBytes } from 'node:crypto';
import { lstatSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TracewrightError } from '../errors.ts';
import { type CaptureFile, captureFile } from './capture-file.ts';
import { bytesOf, fileOf, names, readManifest, sweepParts, writeWhole } from './capture-folder.ts';
import type { Manifest } from './manifest.ts';
import { readOwnFile } from './own-file.ts';
import { privateFolder, requirePrivate } from './state-folder.ts';

export type CaptureStore = Readonly<{
  /** Keeps texts under a new id. EXECUTION_FAILED without space, which leaves older ones whole. */
  save(kind: string, title: string, files: Readonly<Record<string, string>>): Promise<Manifest>;
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
  /**
   * Puts a view of a capture beside it, and gives its path; null where there is no such capture. It
   * can be made again, and is not waited for until the disk has it.
   */
  view(kind: string, id: string, file: string, bytes: string | Uint8Array): string | null;
  remove(kind: string, id: string): boolean;
  folder: string;
}>;

/** A capture in the making. Nobody sees it before `keep`, and `drop` leaves nothing of it. */
export type CaptureDraft = Readonly<{
  /** EXECUTION_FAILED without space or above the quota; then only `drop` is left to do. */
  append(bytes: Uint8Array): void;
  bytes(): number;
  keep(title: string, files: Readonly<Record<string, string>>): Promise<Manifest>;
  drop(): void;
}>;

/** A folder in the making, under a name that is listed nowhere. */
type Part = Readonly<{ id: string; kind: string; path: string; drop(): void }>;

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

  /** Nobody changes a manifest: it is read again only where its file is another one. */
  const known = new Map<string, Readonly<{ file: string; manifest: Manifest }>>();

  const manifestOf = (kind: string, id: string): Manifest | null => {
    if (!id_pattern.test(id)) return null;
    requireOwn(kind);
    return knownManifest(kind, id);
  };

  function knownManifest(kind: string, id: string): Manifest | null {
    const path = join(home(kind), id);
    const file = fileOf(path);
    const last = known.get(path);
    if (last !== undefined && last.file === file) return last.manifest;
    known.delete(path);
    const manifest = file === null ? null : readManifest(path, id);
    if (manifest !== null && file !== null) known.set(path, { file, manifest });
    return manifest;
  }

  function list(kind: string): Manifest[] {
    const ids = names(home(kind)).filter((name) => id_pattern.test(name));
    if (ids.length > 0) requireOwn(kind);
    return ids
      .flatMap((id) => knownManifest(kind, id) ?? [])
      .sort((a, b) => b.created_at.localeCompare(a.created_at));
  }

  const remove = (kind: string, id: string): boolean => {
    if (manifestOf(kind, id) === null) return false;
    const path = join(home(kind), id);
    rmSync(path, { recursive: true, force: true });
    known.delete(path);
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
  function attempt<T>({ drop }: Pick<Part, 'drop'>, step: () => T): T {
    try {
      return step();
    } catch (error) {
      throw undone(drop, error);
    }
  }

  function undone(drop: () => void, error: unknown): TracewrightError {
    drop();
    return error instanceof TracewrightError ? error : notKept(folder, error);
  }

  function newPart(kind: string): Part {
    const id = `${kind}_${now().getTime().toString(36)}${randomBytes(3).toString('hex')}`;
    const path = join(home(kind), `.${id}`);
    const drop = (): void => {
      process.off('exit', drop);
      rmSync(path, { recursive: true, force: true });
    };
    requireOwn(kind);
    attempt({ drop }, () => {
      privateFolder(folder);
      privateFolder(home(kind));
      sweepParts(home(kind));
      mkdirSync(path, { mode: 0o700 });
    });
    // Whoever ends us by Ctrl-C wants nothing of it.
    process.once('exit', drop);
    return { id, kind, path, drop };
  }

  /** Gives a folder that has all of its files its name. */
  async function publish(
    { id, kind, path, drop }: Part,
    title: string,
    files: Readonly<Record<string, string>>,
    written = 0,
  ): Promise<Manifest> {
    const bytes = written + sizeOf(files);
    const manifest = { id, kind, created_at: now().toISOString(), title, bytes };
    try {
      for (const [name, text] of Object.entries(files)) {
        await writeWhole(join(path, named(name)), text);
      }
      await writeWhole(join(path, 'manifest.json'), JSON.stringify(manifest));
      renameSync(path, join(home(kind), id));
    } catch (error) {
      throw undone(drop, error);
    }
    process.off('exit', drop);
    makeRoom(kind);
    return manifest;
  }

  return {
    folder,
    list,
    remove,
    kinds: () => names(folder).filter((name) => /^[a-z]+$/.test(name)),
    async save(kind, title, files) {
      const bytes = sizeOf(files);
      if (bytes > limits.quota_bytes) throw tooLarge(bytes, limits.quota_bytes);
      return await publish(newPart(kind), title, files);
    },
    begin(kind, file) {
      const part = newPart(kind);
      const out: CaptureFile = attempt(part, () => captureFile(join(part.path, named(file))));
      const drop = (): void => {
        out.close();
        part.drop();
      };
      return {
        append(bytes) {
          if (out.bytes() + bytes.length > limits.quota_bytes) {
            drop();
            throw tooLarge(out.bytes() + bytes.length, limits.quota_bytes);
          }
          attempt(part, () => out.append(bytes));
        },
        bytes: out.bytes,
        async keep(title, files) {
          await out.finish().catch((error: unknown) => {
            throw undone(drop, error);
          });
          return await publish(part, title, files, out.bytes());
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
        writeFileSync(path, bytes, { flag: 'wx', mode: 0o600 });
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
