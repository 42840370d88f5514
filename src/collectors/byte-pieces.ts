const piece_bytes = 256 * 1024;
/** As many as two answers of the longest kind hold. */
const most_spare = 10;

/** Pieces that are not in use. Without them a fast reader leaves tens of megabytes to collect. */
const spare: Buffer[] = [];

/** Takes back what `bytePieces` gave, when nobody reads it any more. */
export function reusePieces(pieces: readonly Buffer[]): void {
  const blocks = new Set(pieces.map(({ buffer }) => buffer));
  for (const block of blocks) {
    if (block.byteLength === piece_bytes && spare.length < most_spare) {
      spare.push(Buffer.from(block));
    }
  }
}

/** Bytes that are put together in pieces of some size. */
export function bytePieces() {
  const done: Buffer[] = [];
  let piece: Buffer = Buffer.alloc(0);
  let used = 0;

  function flush(): void {
    if (used > 0) done.push(piece.subarray(0, used));
    piece = piece.subarray(used);
    used = 0;
  }

  function open(bytes: number): Buffer {
    if (bytes > piece_bytes) return Buffer.allocUnsafeSlow(bytes);
    return spare.pop() ?? Buffer.allocUnsafeSlow(piece_bytes);
  }

  function room(bytes: number) {
    if (piece.length - used < bytes) {
      flush();
      piece = open(bytes);
    }
    return { piece, used };
  }

  return {
    room,
    use(bytes: number): void {
      used += bytes;
    },
    add(bytes: Buffer): void {
      room(bytes.length).piece.set(bytes, used);
      used += bytes.length;
    },
    all(): readonly Buffer[] {
      flush();
      return done;
    },
  };
}
