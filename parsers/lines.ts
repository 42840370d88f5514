/**
 * The lines of a kernel file. Such a file ends in a newline, so a last line without one was cut by
 * a read cap: its last number may have lost digits, and it is left out.
 */
export function completeLines(text: string): string[] {
  const lines = text.split('\n');
  lines.pop();
  return lines;
}
