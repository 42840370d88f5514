import { type Parsed, type ParseWarning, warn } from '../parsed.ts';
import type { PythonFrame, PythonStack } from '../python-stack.ts';
import { untrusted } from '../untrusted.ts';

/**
 * `py-spy record --format raw --full-filenames` (py-spy 0.3 and 0.4): one line for each stack of a
 * thread that was running, outermost frame first, samples at the end.
 *
 *     <module> (/srv/app.py:21);hot (/srv/app.py:7) 117
 *     <module> (/srv/app.py:22);cold (/srv/app.py:13) 8
 *
 * A semicolon in a path parts frames where there are none: such a frame has no line.
 */
export function parsePySpy(text: string): Parsed<readonly PythonStack[]> {
  const stacks: PythonStack[] = [];
  const warnings: ParseWarning[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '') continue;
    const [, path = '', count = ''] = /^(.+) (\d{1,12})$/.exec(line) ?? [];
    if (path === '') warnings.push(warn(index + 1, 'no stack with a count', line));
    else stacks.push({ frames: path.split(';').map(frameOf), samples: Number(count) });
  }
  return { data: stacks, warnings };
}

function frameOf(text: string): PythonFrame {
  const [place = '', line = ''] = /:(\d{1,9})\)$/.exec(text) ?? [];
  const end = text.length - place.length;
  const open = place === '' ? -1 : text.lastIndexOf(' (', end - 3);
  const name = open < 0 ? text : text.slice(0, open);
  const file = open < 0 ? '' : text.slice(open + 2, end);
  return {
    function_name: untrusted(name, 120),
    file: untrusted(file, 300),
    line: open < 0 ? null : Number(line),
  };
}
