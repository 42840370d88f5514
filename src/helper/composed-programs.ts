import type { Scratch } from '../exec/scratch.ts';

/**
 * Writes each program under a name of its own, which is never used again, and keeps the last so many.
 * One that was replaced would be run by a tracer that was admitted for another and did not open its
 * file yet: anybody who may use the helper could have that for the asking.
 */
export function composedPrograms(scratch: Pick<Scratch, 'write' | 'remove'>, most: number) {
  const kept: string[] = [];
  let written = 0;
  return (name: string, text: string): string => {
    written += 1;
    const file = `program-${written}-${name}`;
    const path = scratch.write(file, text);
    kept.push(file);
    for (const old of kept.splice(0, kept.length - most)) scratch.remove(old);
    return path;
  };
}
