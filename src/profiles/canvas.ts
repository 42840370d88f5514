import { glyph_height, glyph_width, glyphPoints } from './bitmap-font.ts';
import type { Raster } from './png-file.ts';

/** A picture that is drawn point by point. What lies outside of it is not drawn. */
export type Canvas = Readonly<{
  box(x: number, y: number, width: number, height: number, colour: string): void;
  /** Its upper left corner; points of a letter are squares of `scale`. */
  text(x: number, y: number, text: string, colour: string, scale?: number): void;
  raster(): Raster;
}>;

export const text_height = glyph_height;

/** How many letters there is room for. */
export const lettersIn = (width: number, scale = 1): number =>
  Math.max(0, Math.floor((width + scale) / (glyph_width * scale)));

export function canvas(width: number, height: number, background: string): Canvas {
  const points = new Uint8Array(width * height);
  const colours = new Map([[background, 0]]);
  const glyphs = new Map<string, ReturnType<typeof glyphPoints>>();

  function numberOf(colour: string): number {
    const known = colours.get(colour) ?? Math.min(colours.size, 255);
    colours.set(colour, known);
    return known;
  }

  function fill(x: number, y: number, wide: number, high: number, colour: number): void {
    const left = Math.max(0, x);
    const right = Math.min(width, x + wide);
    if (left >= right) return;
    for (let row = Math.max(0, y); row < Math.min(height, y + high); row++) {
      points.fill(colour, row * width + left, row * width + right);
    }
  }

  function pointsOf(character: string): ReturnType<typeof glyphPoints> {
    const known = glyphs.get(character) ?? glyphPoints(character);
    glyphs.set(character, known);
    return known;
  }

  return {
    box(x, y, wide, high, colour) {
      fill(x, y, wide, high, numberOf(colour));
    },
    text(x, y, text, colour, scale = 1) {
      const number = numberOf(colour);
      for (const [index, character] of [...text].entries()) {
        const left = x + index * glyph_width * scale;
        for (const [column, row] of pointsOf(character)) {
          fill(left + column * scale, y + row * scale, scale, scale, number);
        }
      }
    },
    raster: () => ({ width, height, points, colours: [...colours.keys()].slice(0, 256) }),
  };
}
