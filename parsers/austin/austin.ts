import { type Parsed, type ParseWarning, warn } from '../parsed.ts';
import type { PythonStack } from '../python-stack.ts';
import { untrusted } from '../untrusted.ts';

/**
 * `austin -s -p PID -o FILE` (Austin 3.4 to 3.7): a line for each sample of a thread that was running:
 * process, thread, then FILE:FUNCTION:LINE outermost first, then microseconds since the last sample.
 * Each line is one sample here. Lines that begin with # are about the run.
 *
 *     P4470;T0:4470;/srv/app.py:<module>:21;/srv/app.py:hot:7 10070
 *     P4470;T0:4470;/srv/app.py:<module>:22;/srv/app.py:cold:14 10073
 */
export function parseAustin(text: string): Parsed<readonly PythonStack[]> {
  const counts = new Map<string, number>();
  const warnings: ParseWarning[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '' || line.startsWith('#')) continue;
    const path = /^P\d+;T[\d:]+;(.+) \d{1,15}$/.exec(line)?.[1];
    if (path === undefined) warnings.push(warn(index + 1, 'no stack of a thread', line));
    else counts.set(path, (counts.get(path) ?? 0) + 1);
  }
  const data = [...counts].map(([path, samples]) => ({
    frames: path.split(';').map(frameOf),
    samples,
  }));
  return { data, warnings };
}

function frameOf(text: string): PythonStack['frames'][number] {
  const [, file = '', name = text, line = ''] = /^(.+):([^:]+):(\d{1,9})$/.exec(text) ?? [];
  return {
    function_name: untrusted(name, 120),
    file: untrusted(file, 300),
    line: line === '' ? null : Number(line),
  };
}
