/**
 * Control characters, line separators, the marks that reorder text on a screen and characters that
 * nobody sees. Whoever runs a process chooses its name: none of these may reach a terminal, pose as
 * structure or hide words from a person that a model reads.
 */
const unsafe =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it removes
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]+/gu;

/** The same, but for line feeds and tabs. */
const unsafeInLines =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it removes
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]+/gu;

/** Most text: printable ASCII without blanks around it. Asked first, for speed. */
const plain = /^[!-~](?:[ -~]*[!-~])?$/;

/** Text that came from a process, a device or a user: made printable, length capped. */
export function untrusted(text: string, maxLength = 200): string {
  if (text.length <= maxLength && plain.test(text)) return text;
  const clean = text.replace(unsafe, ' ').trim();
  return clean.length <= maxLength ? clean : `${clean.slice(0, maxLength - 1)}…`;
}

/** Text of ours, of several lines perhaps, that repeats what somebody gave. */
export const printable = (text: string): string => text.replace(unsafeInLines, ' ');
