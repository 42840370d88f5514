import { shellWords } from './config/entry.ts';

/** A fix is worded for a server. At a shell it is the same command again, as root. */
export function atShell(fix: string, words: readonly string[] = process.argv.slice(2)): string {
  const again = `sudo tracewright ${shellWords(words)}`.trimEnd();
  return fix.replace(/^sudo tracewright mcp(?=$|,)/, () => again);
}
