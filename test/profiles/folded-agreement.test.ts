import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type FoldedOptions, foldedText } from '../../src/profiles/folded-text.ts';
import { perfScriptImport } from '../../src/profiles/perf-script-profile.ts';

/** What inferno-collapse-perf made of the recordings in fixtures/perf-script, with its arguments. */
const folder = 'fixtures/folded';
const cases = readdirSync(folder)
  .filter((name) => name.includes('.inferno-collapse-perf-'))
  .map((name) => {
    const provenance = readFileSync(`${folder}/${name}/provenance.txt`, 'utf8');
    const [, args = ''] = /^command: \S+ (.*)$/m.exec(provenance) ?? [];
    const [, filter] = /--event-filter (\S+)/.exec(args) ?? [];
    const [, recording = ''] = /(\S+)$/.exec(args) ?? [];
    return { name, args, filter, recording };
  });

function optionsOf(args: string): FoldedOptions {
  return {
    ...(args.includes('--tid') ? { ids: 'tid' as const } : {}),
    ...(args.includes('--pid') ? { ids: 'pid' as const } : {}),
    kernel: args.includes('--kernel'),
    jit: args.includes('--jit'),
  };
}

/** Counts by stack. It leaves out samples without a stack; we keep them as a process alone. */
function counts(folded: readonly string[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const line of folded.join('').split('\n')) {
    const blank = line.lastIndexOf(' ');
    const stack = line.slice(0, blank);
    if (!stack.includes(';')) continue;
    sums.set(stack, (sums.get(stack) ?? 0) + Number(line.slice(blank + 1)));
  }
  return sums;
}

describe.each(cases)('$name', ({ name, args, filter, recording }) => {
  test('is what we fold the same recording to', () => {
    const reading = perfScriptImport('tid');
    reading.push(readFileSync(recording));
    // It cuts names of events at their first colon, and takes the first event unless told another.
    const [first, ...others] = reading.end();
    const wanted = filter ?? first?.event.split(':')[0];
    const profiles = [...(first ? [first] : []), ...others].filter(
      ({ event }) => event.split(':')[0] === wanted,
    );
    const ours = counts(profiles.map((profile) => foldedText(profile, optionsOf(args))));
    const theirs = counts([readFileSync(`${folder}/${name}/input.txt`, 'utf8')]);
    expect(theirs.size).toBeGreaterThan(0);
    expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(theirs));
  });
});
