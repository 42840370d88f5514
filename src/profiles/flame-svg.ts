import { asMarkup } from '../markup.ts';
import { type FlameBox, flameLayout } from './flame-layout.ts';
import { flameScript, flameStyle } from './flame-script.ts';
import type { FrameTree } from './frame-tree.ts';

/** What a flame graph shows, whatever its boxes mean. */
export type FlamePicture = Readonly<{
  title: string;
  /** A line below the title: event, samples, what is missing. */
  subtitle: string;
  tree: FrameTree;
  /** Of one node: its name, and what is said of it, without parentheses. */
  name(node: number): string;
  tip(node: number): string;
  colour(node: number): string;
  /** What is said of small calls that share a box. */
  mergedTip(width: number): string;
}>;

export type FlameOptions = Readonly<{
  /** The root on top; else it is there where the stacks are taller than a screen. */
  icicle?: boolean | undefined;
  /** Smaller calls are merged until the file is no longer. */
  max_bytes: number;
}>;

const level = 18;
const top = 72;
const nominal_width = 1200;
const character = 6.65;
/** Levels that a screen shows without scrolling. */
const tallest = 45;
const most_boxes = 15_000;

/** A file of its own: an SVG that can be looked at anywhere and answers to clicks in a browser. */
export function flameSvg(picture: FlamePicture, options: FlameOptions): string {
  const script = `<script><![CDATA[${flameScript}]]></script>`;
  const room = options.max_bytes - Buffer.byteLength(script) - flameStyle.length - 200;
  const body = flameBody(picture, { ...options, max_bytes: room });
  return `<?xml version="1.0" encoding="UTF-8"?>\n${body.replace('</svg>', `${script}</svg>`)}\n`;
}

/** The picture without its script, to be put into a page. */
export function flameBody(picture: FlamePicture, { icicle, max_bytes }: FlameOptions): string {
  for (let most = most_boxes; ; most = Math.floor(most / 2)) {
    const text = draw(picture, icicle, most);
    if (most < 64 || Buffer.byteLength(text) <= max_bytes) return text;
  }
}

function draw(picture: FlamePicture, wanted: boolean | undefined, most: number): string {
  const { boxes, levels, left_out } = flameLayout(picture.tree, most);
  const icicle = wanted ?? levels > tallest;
  const height = top + levels * level + 28;
  const note = left_out > 0 ? `; ${left_out} small calls are merged or left out` : '';
  const parts = boxes.map((box) => {
    const line = icicle ? box.depth : levels - 1 - box.depth;
    return boxMarkup(picture, box, top + line * level);
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" class="flame" width="${nominal_width}" height="${height}" ` +
    `font-family="monospace" font-size="11" data-top="${top}" data-level="${level}" data-levels="${levels}" data-icicle="${icicle ? 1 : 0}">` +
    `<style>${flameStyle}</style>` +
    `<text class="ink" x="8" y="16" font-size="14">${escaped(picture.title)}</text>` +
    `<text class="ink" x="8" y="32">${escaped(picture.subtitle + note)}</text>` +
    `<g class="boxes">${parts.join('')}</g>` +
    `<text class="ink details" x="8" y="${height - 10}"></text></svg>`
  );
}

function boxMarkup(picture: FlamePicture, box: FlameBox, y: number): string {
  const { node, left, width, merged } = box;
  const name = merged > 0 ? `${merged} small calls` : picture.name(node);
  const tip = merged > 0 ? picture.mergedTip(width) : picture.tip(node);
  const colour = merged > 0 ? '#ccc' : picture.colour(node);
  const x = percent(left);
  const room = Math.floor((width * nominal_width - 6) / character);
  const shown = name.length <= room ? name : `${name.slice(0, room - 2)}..`;
  const text = room < 3 ? '' : `<text x="${x}" dx="3" y="${y + 12}">${escaped(shown)}</text>`;
  return `<g><title>${escaped(name)} (${escaped(tip)})</title><rect x="${x}" y="${y}" width="${percent(width)}" height="17" fill="${colour}"/>${text}</g>`;
}

const percent = (share: number): string => `${Number((share * 100).toFixed(4))}%`;

const forbidden =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it replaces
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;

/** Text between tags or in quotes. What XML forbids outright, also as an entity, becomes a mark. */
export const escaped = (text: string): string => asMarkup(text.replace(forbidden, '\ufffd'));
