import type { FrameKind } from './stack-profile.ts';

/** Five shades for each kind of frame, so that neighbours can be told apart. */
const shades: Readonly<Record<FrameKind, readonly string[]>> = {
  kernel: ['#f93', '#fa4', '#f82', '#fb5', '#e93'],
  user: ['#f76', '#fc4', '#f85', '#fb6', '#fd5'],
  jit: ['#7d6', '#8e7', '#6c5', '#9e8', '#7c7'],
  inlined: ['#6cc', '#7dd', '#5bb', '#8dd', '#6dd'],
  bpf: ['#b9e', '#caf', '#a8e', '#c9e', '#bae'],
  guest: ['#8bf', '#9cf', '#7af', '#acf', '#8ce'],
  unknown: ['#ccc', '#ddd', '#bbb', '#d5d5d5', '#c4c4c4'],
};

const neutral = '#e4e4e4';
const redder = ['#fdd', '#fbb', '#f99', '#f77', '#f55'];
const bluer = ['#ddf', '#bcf', '#9bf', '#79f', '#57f'];

/** The same name always has the same colour. */
export function kindColour(kind: FrameKind, name: string): string {
  let hash = 0;
  for (let at = 0; at < name.length; at++) hash = (hash * 31 + name.charCodeAt(at)) | 0;
  return shades[kind][Math.abs(hash) % 5] ?? neutral;
}

/** Red for more, blue for less; `scale` is the largest change there is. */
export function changeColour(delta: number, scale: number): string {
  if (delta === 0 || scale === 0) return neutral;
  const step = Math.min(4, Math.floor((Math.abs(delta) / scale) * 5));
  return (delta > 0 ? redder : bluer)[step] ?? neutral;
}
