const newline = 10;

/** Splits bytes into lines of bounded length. Throws where one is longer. */
export function lineReader(most_bytes: number, onLine: (line: string) => void) {
  let pieces: Buffer[] = [];
  let held_bytes = 0;
  return (bytes: Buffer): void => {
    let from = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, from)) {
      pieces.push(bytes.subarray(from, end));
      held_bytes += end - from;
      if (held_bytes > most_bytes) throw new Error('a line is too long');
      const line = Buffer.concat(pieces).toString('utf8');
      pieces = [];
      held_bytes = 0;
      from = end + 1;
      onLine(line);
    }
    held_bytes += bytes.length - from;
    if (held_bytes > most_bytes) throw new Error('a line is too long');
    pieces.push(bytes.subarray(from));
  };
}
