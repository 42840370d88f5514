/// <reference lib="es2024.arraybuffer" />

/** The last so many bytes of a stream. Positions count all bytes that were ever written. */
export type ByteRing = Readonly<{
  write(bytes: Buffer): void;
  /** Puts bytes that are still there, from one position up to another, at the beginning of `into`. */
  copy(from: number, to: number, into: Buffer): void;
  /** The position behind the newest byte. */
  end(): number;
  /** The oldest position that is still there. */
  begin(): number;
  /** Gives the memory back; what was written is gone. */
  release(): void;
}>;

/** Takes no memory before the first byte. */
export function byteRing(capacity: number): ByteRing {
  // Shrinking gives memory back at once; a buffer that is let go stays until some later collection.
  const memory = new ArrayBuffer(0, { maxByteLength: capacity });
  let store: Buffer | null = null;
  let end = 0;
  let begin = 0;

  function open(): Buffer {
    memory.resize(capacity);
    return Buffer.from(memory, 0, capacity);
  }

  return {
    write(bytes) {
      store ??= open();
      const skipped = Math.max(0, bytes.length - capacity);
      const copied = bytes.copy(store, (end + skipped) % capacity, skipped);
      bytes.copy(store, 0, skipped + copied);
      end += bytes.length;
      begin = Math.max(begin, end - capacity);
    },
    copy(from, to, into) {
      const length = to - from;
      const at = from % capacity;
      const copied = store?.copy(into, 0, at, at + length) ?? 0;
      store?.copy(into, copied, 0, length - copied);
    },
    end: () => end,
    begin: () => begin,
    release() {
      store = null;
      memory.resize(0);
      begin = end;
    },
  };
}
