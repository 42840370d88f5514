import { closeSync, existsSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';

/** Why a file of /proc or /sys gave nothing. `gone`: its process or device went while we read. */
export type Absence = 'missing' | 'denied' | 'gone' | 'failed';

export type FileText = Readonly<
  { ok: true; text: string; truncated: boolean } | { ok: false; absence: Absence; code: string }
>;

/** Bounded, read-only access to /proc, /sys and a few files under an injectable root. */
export type HostFiles = Readonly<{
  /** The whole text up to a cap, or why there is none. A cap that bites is visible. */
  read(path: string, maxBytes?: number): FileText;
  /** The text, or null for whatever reason. */
  text(path: string): string | null;
  /** The trimmed text as a number, or null. */
  number(path: string): number | null;
  bytes(path: string, maxBytes: number): Uint8Array | null;
  /** Entry names, or null where the directory cannot be read. */
  list(path: string): string[] | null;
  link(path: string): string | null;
  exists(path: string): boolean;
}>;

const default_cap_bytes = 4 * 1024 * 1024;
const readable =
  /^\/(?:proc|sys)(?:\/|$)|^\/etc\/os-release$|^\/run\/systemd\/container$|^\/lib\/modules\/[\w.+~-]+\/build$/;

/**
 * Files below `root` (empty: the live host). Reads are synchronous: a procfs read never waits for a
 * disk, and a promise for each of 100,000 processes costs more than the read.
 */
export function hostFiles(root = ''): HostFiles {
  const buffer = Buffer.allocUnsafe(64 * 1024);

  function locate(path: string): string {
    if (!readable.test(path) || path.includes('\0') || path.split('/').includes('..')) {
      throw new Error(`not a readable host path: ${JSON.stringify(path)}`);
    }
    return root + path;
  }

  function readBytes(path: string, maxBytes: number): { data: Buffer; truncated: boolean } {
    const fd = openSync(locate(path), 'r');
    try {
      const chunks: Buffer[] = [];
      let total = 0;
      while (total <= maxBytes) {
        const count = readSync(fd, buffer, 0, buffer.length, null);
        if (count === 0) break;
        total += count;
        chunks.push(Buffer.from(buffer.subarray(0, count)));
      }
      const data = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
      return { data: data.subarray(0, maxBytes), truncated: total > maxBytes };
    } finally {
      closeSync(fd);
    }
  }

  function read(path: string, maxBytes = default_cap_bytes): FileText {
    try {
      const { data, truncated } = readBytes(path, maxBytes);
      return { ok: true, text: data.toString('utf8'), truncated };
    } catch (error) {
      const code = errno(error);
      return { ok: false, absence: absenceOf(code), code };
    }
  }

  function text(path: string): string | null {
    const file = read(path);
    return file.ok ? file.text : null;
  }

  return {
    read,
    text,
    number(path) {
      const value = text(path)?.trim();
      if (value === undefined || value === '') return null;
      const parsed = Number(value);
      return Number.isFinite(parsed) ? parsed : null;
    },
    bytes(path, maxBytes) {
      try {
        return readBytes(path, maxBytes).data;
      } catch (error) {
        errno(error);
        return null;
      }
    },
    list: (path) => orNull(() => readdirSync(locate(path))),
    link: (path) => orNull(() => readlinkSync(locate(path))),
    exists: (path) => existsSync(locate(path)),
  };
}

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    errno(error);
    return null;
  }
}

/** The errno of a failed system call; anything else is a fault of ours and goes on. */
function errno(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string')
    return error.code;
  throw error;
}

function absenceOf(code: string): Absence {
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'missing';
  if (code === 'EACCES' || code === 'EPERM') return 'denied';
  if (code === 'ESRCH' || code === 'ENODEV') return 'gone';
  return 'failed';
}
