import { closeSync, openSync, writeSync } from 'node:fs';
import { synced } from './synced.ts';

/** A file that grows piece by piece. */
export type CaptureFile = Readonly<{
  append(bytes: Uint8Array): void;
  /** Bytes given to it so far, written or not. */
  bytes(): number;
  /** Writes what is left, and waits until the disk has it. */
  finish(): Promise<void>;
  close(): void;
}>;

const piece_bytes = 256 * 1024;

/** Pieces are gathered: a recording brings them in hundreds of bytes. A failed write closes it. */
export function captureFile(path: string): CaptureFile {
  let fd: number | null = openSync(path, 'wx', 0o600);
  let waiting: Uint8Array[] = [];
  let waiting_bytes = 0;
  let bytes = 0;

  function close(): void {
    if (fd !== null) closeSync(fd);
    fd = null;
    waiting = [];
    waiting_bytes = 0;
  }

  function write(): void {
    const piece = Buffer.concat(waiting);
    waiting = [];
    waiting_bytes = 0;
    try {
      for (let done = 0; done < piece.length; ) {
        if (fd === null) throw new Error('it was closed before');
        done += writeSync(fd, piece, done);
      }
    } catch (error) {
      close();
      throw error;
    }
  }

  return {
    append(piece) {
      waiting.push(piece);
      waiting_bytes += piece.length;
      bytes += piece.length;
      if (waiting_bytes >= piece_bytes) write();
    },
    bytes: () => bytes,
    async finish() {
      write();
      try {
        if (fd !== null) await synced(fd);
      } finally {
        close();
      }
    },
    close,
  };
}
