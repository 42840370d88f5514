import { crc32, deflateSync } from 'node:zlib';

/** A picture of points, each the number of a colour. */
export type Raster = Readonly<{
  width: number;
  height: number;
  /** Row by row. */
  points: Uint8Array;
  /** At most 256 of them, as "#rgb" or "#rrggbb". */
  colours: readonly string[];
}>;

const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const palette_of_bytes = [8, 3, 0, 0, 0] as const;

/** The picture as a PNG with a palette: a byte a point before it is compressed. */
export function pngFile({ width, height, points, colours }: Raster): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set(palette_of_bytes, 8);
  // In front of each row stands how it is filtered: not at all, as is best for a palette.
  const lines = new Uint8Array(height * (width + 1));
  for (let y = 0; y < height; y++) {
    lines.set(points.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  }
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('PLTE', Uint8Array.from(colours.flatMap(components))),
    chunk('IDAT', deflateSync(lines, { level: 9 })),
    chunk('IEND', new Uint8Array()),
  ]);
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(data.length, 0);
  whole.set(body, 4);
  whole.writeUInt32BE(crc32(body), body.length + 4);
  return whole;
}

function components(colour: string): number[] {
  const digits = colour.slice(1);
  const full = digits.length === 3 ? [...digits].map((digit) => digit + digit).join('') : digits;
  return [0, 2, 4].map((at) => Number.parseInt(full.slice(at, at + 2), 16));
}
