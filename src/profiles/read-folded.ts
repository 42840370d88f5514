import { ParseError } from '../../parsers/parsed.ts';
import { stackBuilder } from './stack-builder.ts';
import type { FrameKind, StackProfile } from './stack-profile.ts';

const kinds: Readonly<Record<string, FrameKind>> = { k: 'kernel', j: 'jit', i: 'inlined' };
const nobody = { comm: null, pid: null, tid: null };

/**
 * Folded stacks: "outermost;…;innermost count" a line, with or without `_[k]`, `_[j]`, `_[i]` behind
 * names. What the first frame is (a task, a function) the format does not tell: it stays a frame.
 *
 * @throws ParseError where no line is of that form
 */
export function readFolded(text: string): StackProfile {
  const builder = stackBuilder();
  let odd = 0;
  let good = 0;
  for (const line of text.split(/\r?\n/)) {
    const at = line.lastIndexOf(' ');
    const count = Number(line.slice(at + 1));
    if (line.trim() === '' || line.startsWith('#')) continue;
    if (at < 1 || !(count >= 0) || !/^[\d.]+$/.test(line.slice(at + 1))) {
      odd++;
      continue;
    }
    good++;
    builder.add(line.slice(0, at).split(';').map(frameOf), nobody, count, Math.round(count));
  }
  if (good === 0 || odd > good) throw new ParseError('these are no folded stacks');
  const warnings = odd === 0 ? [] : [`${odd} lines are no folded stacks and are left out.`];
  const facts = { event: 'samples', unit: 'samples', period: null, duration_ms: null } as const;
  return builder.finish({ ...facts, lost: 0, warnings });

  function frameOf(text: string): number {
    const [, name = text, mark = ''] = /^(.*)_\[([kji])\]$/.exec(text) ?? [];
    return builder.frame({ name, module: null, kind: kinds[mark] ?? 'user' });
  }
}
