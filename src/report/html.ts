import { asMarkup } from '../markup.ts';

/** Text that is HTML: made by `html`, which escapes whatever else is put into it. */
export type Html = Readonly<{ markup: string }>;

type Part = Html | string | number | null | undefined | readonly Part[];

/** Longer than any name; a page stays readable whatever a process calls itself. */
const longest = 600;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it removes
const unseen = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/g;

function escaped(text: string): string {
  const shown = text.length <= longest ? text : `${text.slice(0, longest)}…`;
  return asMarkup(shown.replace(unseen, '\ufffd'));
}

/**
 * HTML or SVG with values in it. Text and numbers are escaped, so that they are text there and in
 * attributes in double quotes; what `html` made goes in as it is; null is nothing.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Part[]): Html {
  const markup = strings.map((text, at) => text + (at < values.length ? of(values[at]) : ''));
  return { markup: markup.join('') };
}

function of(part: Part): string {
  if (part === null || part === undefined) return '';
  if (typeof part === 'string' || typeof part === 'number') return escaped(String(part));
  return 'markup' in part ? part.markup : part.map(of).join('');
}
