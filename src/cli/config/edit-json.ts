import type { Node } from 'jsonc-parser';

/**
 * The text with one more property in an object of it. It comes first, so that commas and comments of the
 * others stay where they are; a comment beside the brace stays there too.
 */
export function withProperty(text: string, object: Node, name: string, value: unknown): string {
  const brace = object.offset + 1;
  const restOfLine = /^[ \t]*(?:\/\/[^\n]*?|\/\*[^\n]*?\*\/[ \t]*)?(?=\r?\n)/.exec(
    text.slice(brace),
  );
  const at = brace + (restOfLine?.[0].length ?? 0);
  const outer = indentAt(text, object.offset);
  const indent = outer + unit(text);
  const line = eol(text);
  const property = `${JSON.stringify(name)}: ${json(value, text, indent)}`;
  const comma = object.children?.length ? ',' : '';
  const end = restOfLine ? '' : line + (comma ? indent : outer);
  const rest = restOfLine ? text.slice(at) : text.slice(at).trimStart();
  return text.slice(0, at) + line + indent + property + comma + end + rest;
}

/** The text with another value in the place of one. */
export function withValue(text: string, node: Node, value: unknown): string {
  const indent = indentAt(text, node.offset);
  return (
    text.slice(0, node.offset) + json(value, text, indent) + text.slice(node.offset + node.length)
  );
}

/** A value over several lines, as the text around it is indented. */
const json = (value: unknown, text: string, indent: string): string =>
  JSON.stringify(value, null, unit(text)).replaceAll('\n', eol(text) + indent);

const eol = (text: string): string => (text.includes('\r\n') ? '\r\n' : '\n');

/** The first indent there is. */
const unit = (text: string): string => /^([ \t]+)["{]/m.exec(text)?.[1] ?? '  ';

/** The indent of the line on which a place is. */
const indentAt = (text: string, offset: number): string =>
  /^[ \t]*/.exec(text.slice(text.lastIndexOf('\n', offset - 1) + 1))?.[0] ?? '';
