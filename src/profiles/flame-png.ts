import { type Canvas, canvas, lettersIn, text_height } from './canvas.ts';
import { type FlameBox, type FlameLayout, flameLayout } from './flame-layout.ts';
import type { FlamePicture } from './flame-svg.ts';
import { pngFile } from './png-file.ts';

/**
 * Pictures for models are paid for by their points, and those longer than some 1500 are made smaller,
 * which no small letter survives.
 */
const width = 1200;
const tallest = 1500;
const margin = 8;
const level = 14;
const top = 48;
const most_boxes = 4000;
const ink = '#222';
const paper = '#fff';

/** Levels above the last one with room for a name: the shape of what is on top. */
const nameless_levels = 6;
const least_letters = 3;

/**
 * The flame graph as a picture that stands still, the outermost frames at the bottom. Calls of less
 * than a point are left out, and more of them until the file has at most `max_bytes`; so are the tops
 * of towers that are too thin for names.
 */
export function flamePng(picture: FlamePicture, max_bytes: number): Uint8Array {
  for (let most = most_boxes; ; most = Math.floor(most / 2)) {
    const file = pngFile(draw(picture, most).raster());
    if (most < 64 || file.length <= max_bytes) return file;
  }
}

type Line = Readonly<{ box: FlameBox; left: number; right: number }>;

function draw(picture: FlamePicture, most: number): Canvas {
  const layout = flameLayout(picture.tree, most);
  const lines = visible(layout);
  const levels = lines.reduce((deepest, { box }) => Math.max(deepest, box.depth + 1), 1);
  const shown = Math.min(levels, Math.floor((tallest - top - margin) / level), namedLevels(lines));
  const image = canvas(width, top + shown * level + margin, paper);
  write(image, 8, cut(picture.title, lettersIn(width - 2 * margin, 2)), 2);
  const notes = [picture.subtitle, ...cutNotes(levels - shown), ...narrowNotes(layout, lines)];
  write(image, 31, cut(notes.join('; '), lettersIn(width - 2 * margin)), 1);
  for (const line of lines) {
    const row = shown - 1 - line.box.depth;
    if (row >= 0) drawBox(image, picture, line, top + row * level);
  }
  return image;
}

const namedLevels = (lines: readonly Line[]): number =>
  lines.reduce(
    (most, { box, left, right }) =>
      lettersIn(right - left - 5) < least_letters ? most : Math.max(most, box.depth + 1),
    1,
  ) + nameless_levels;

const cutNotes = (count: number): readonly string[] =>
  count > 0 ? [`the innermost ${count} levels are cut off`] : [];

const narrowNotes = ({ boxes, left_out }: FlameLayout, lines: readonly Line[]) => {
  const count = left_out + boxes.length - lines.length;
  return count > 0 ? [`${count} small calls are merged or left out`] : [];
};

/** Boxes of at least a point, by the points at which they begin and end. */
function visible({ boxes }: FlameLayout): readonly Line[] {
  const inner = width - 2 * margin;
  return boxes.flatMap((box) => {
    const left = margin + Math.round(box.left * inner);
    const right = margin + Math.round((box.left + box.width) * inner);
    return right > left ? [{ box, left, right }] : [];
  });
}

function drawBox(image: Canvas, picture: FlamePicture, { box, left, right }: Line, y: number) {
  const { node, merged } = box;
  // A line of paper between neighbours, where there is room for one.
  const wide = right - left > 2 ? right - left - 1 : right - left;
  image.box(left, y, wide, level - 1, merged > 0 ? '#ccc' : picture.colour(node));
  const letters = lettersIn(wide - 4);
  if (letters < least_letters) return;
  const name = merged > 0 ? `${merged} small calls` : picture.name(node);
  image.text(left + 3, y + Math.floor((level - text_height) / 2), cut(name, letters), ink);
}

const write = (image: Canvas, y: number, text: string, scale: number): void =>
  image.text(margin, y, text, ink, scale);

const cut = (text: string, letters: number): string =>
  text.length <= letters ? text : `${text.slice(0, Math.max(0, letters - 2))}..`;
