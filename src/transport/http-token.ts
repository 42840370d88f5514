import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { TracewrightError } from '../errors.ts';
import { privateFolder } from '../store/state-folder.ts';

/** `matches` takes the value of an Authorization header. The token itself is kept as its digest alone. */
export type HttpToken = Readonly<{ path: string; matches(authorization: string): boolean }>;

/** What fits a header, and is too long to be guessed. */
const form = /^[\w.~+/=-]{24,512}$/;
const most_bytes = 4096;

/** The token in a file of the operator's. NOT_ALLOWED where others may read or replace it. */
export function tokenFrom(path: string): HttpToken {
  const text = readPrivate(path).trim();
  if (!form.test(text)) {
    throw new TracewrightError(
      'INVALID_PARAMS',
      `${path} does not hold a token: 24 to 512 letters, digits or . _ ~ + / = -`,
      `(umask 077; openssl rand -hex 32 > '${path}')`,
    );
  }
  const wanted = digest(text);
  return {
    path,
    matches(authorization) {
      const [, given = ''] = /^Bearer +([^ ]+) *$/i.exec(authorization) ?? [];
      return timingSafeEqual(digest(given), wanted);
    },
  };
}

/** The token of this user, made on first use; who wants another one removes the file. */
export function ownToken(folder: string): HttpToken {
  privateFolder(folder);
  const path = join(folder, 'http-token');
  const draft = `${path}.${process.pid}`;
  try {
    writeFileSync(draft, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
    // Whole or not at all, also where two servers start at once.
    linkSync(draft, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return tokenFrom(path);
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Opened first and looked at then: what was looked at is what is read. */
function readPrivate(path: string): string {
  const fd = opened(path);
  try {
    const stats = fstatSync(fd);
    const { mode, uid, size } = stats;
    if (!stats.isFile()) throw exposed(path, 'is no plain file');
    if (uid !== process.geteuid?.()) throw exposed(path, 'belongs to someone else');
    if ((mode & 0o077) !== 0) throw exposed(path, 'can be read by others');
    if (size > most_bytes) throw exposed(path, `is longer than ${most_bytes} bytes`);
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

function opened(path: string): number {
  try {
    // A FIFO would hold up the start.
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const why = code === 'ELOOP' ? 'is a link' : `cannot be read (${code})`;
    throw exposed(path, why, error);
  }
}

const exposed = (path: string, why: string, cause?: unknown): TracewrightError =>
  new TracewrightError(
    'NOT_ALLOWED',
    `The token file ${path} ${why}.`,
    `Give a plain file of your own: (umask 077; openssl rand -hex 32 > '${path}')`,
    cause,
  );
