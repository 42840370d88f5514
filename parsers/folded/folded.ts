import { type Parsed, type ParseWarning, warn } from '../parsed.ts';

/** One line: names from the outermost on, as they stand there, and what they count. */
export type FoldedLine = Readonly<{ names: readonly string[]; weight: number }>;

const max_warnings = 20;

/**
 * Folded stacks, as the stackcollapse programs, `bpftrace`-based ones and py-spy write them: names
 * from the outermost on, joined by semicolons, then a blank and a count, which may have a fraction.
 * The first name is mostly that of the process.
 *
 *     python3;_start;main;[libc.so.6];do_syscall_64_[k] 12
 *     java-1234/1240;start_thread;Lpkg/Class:::run_[j] 3
 *
 * Comments and blank lines are passed over. A line without a count is left out with a warning.
 */
export function parseFolded(text: string): Parsed<readonly FoldedLine[]> {
  const lines: FoldedLine[] = [];
  const warnings: ParseWarning[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const parsed = parseLine(line);
    if (parsed) lines.push(parsed);
    else if (warnings.length < max_warnings) {
      warnings.push(warn(index + 1, 'no count behind a stack', line));
    }
  }
  return { data: lines, warnings };
}

function parseLine(line: string): FoldedLine | null {
  const stack = line.trimEnd();
  const blank = stack.lastIndexOf(' ');
  const count = stack.slice(blank + 1);
  if (blank <= 0 || !/^\d{1,20}(?:\.\d+)?$/.test(count)) return null;
  return { names: stack.slice(0, blank).split(';'), weight: Number(count) };
}
