/**
 * Control characters, line separators and the marks that reorder text on a screen. Whoever runs a
 * process chooses its name: none of these may reach a terminal or pose as structure.
 */
const unsafe =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it removes
  /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]+/gu;

/** Most text: printable ASCII without blanks around it. Asked first, for speed. */
const plain = /^[!-~](?:[ -~]*[!-~])?$/;

/** Text that came from a process, a device or a user: made printable, length capped. */
export function untrusted(text: string, maxLength = 200): string {
  if (text.length <= maxLength && plain.test(text)) return text;
  const clean = text.replace(unsafe, ' ').trim();
  return clean.length <= maxLength ? clean : `${clean.slice(0, maxLength - 1)}…`;
}
