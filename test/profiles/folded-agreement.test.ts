import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ofEvent } from '../../src/profiles/event-filter.ts';
import { foldedImport } from '../../src/profiles/folded-import.ts';
import { type FoldedOptions, foldedText } from '../../src/profiles/folded-text.ts';
import { perfScriptImport } from '../../src/profiles/perf-script-profile.ts';
import type { StackProfile } from '../../src/profiles/stack-profile.ts';

/**
 * What independent programs made of the recordings in fixtures/perf-script, with their arguments:
 * inferno-collapse-perf, and stackcollapse-perf.pl where a tracepoint's text stands in the header,
 * which the former takes for a frame.
 */
const folder = 'fixtures/folded';
const cases = readdirSync(folder)
  .filter((name) => /\.(?:inferno-collapse-perf|stackcollapse-perf\.pl)-/.test(name))
  .map((name) => {
    const provenance = readFileSync(`${folder}/${name}/provenance.txt`, 'utf8');
    const [, program = '', args = ''] = /^command: (\S+) (.*)$/m.exec(provenance) ?? [];
    const [, filter] = /--event-filter (\S+)/.exec(args) ?? [];
    const [, recording = ''] = /(\S+)$/.exec(args) ?? [];
    return { name, program, args, filter, recording };
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

/**
 * Where inferno does not find the period: no time stands before it, or the event is padded to the
 * width of a longer one.
 */
const periodless = /^(?:per-thread|several-events-task-clock)\./;

/** Of the profiles that the program merged: it cuts names of events at their first colon. */
function merged(program: string, filter: string | undefined, all: readonly StackProfile[]) {
  // The script in Perl merges all events, and counts samples.
  if (program.endsWith('.pl')) return all.map(bySamples);
  return ofEvent(all, filter ?? all[0]?.event ?? '');
}

function bySamples(profile: StackProfile): StackProfile {
  const stacks = profile.stacks.map((stack) => ({ ...stack, weight: stack.samples }));
  return { ...profile, stacks };
}

describe.each(cases)('$name', ({ name, program, args, filter, recording }) => {
  test('is what we fold the same recording to', () => {
    const reading = perfScriptImport('tid');
    reading.push(readFileSync(recording));
    const taken = merged(program, filter, reading.end());
    const profiles = periodless.test(name) ? taken.map(bySamples) : taken;
    const ours = counts(profiles.map((profile) => foldedText(profile, optionsOf(args))));
    const theirs = counts([readFileSync(`${folder}/${name}/input.txt`, 'utf8')]);
    expect(theirs.size).toBeGreaterThan(0);
    expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(theirs));
  });

  test('comes back from its text as it is', () => {
    // Where parameters are cut off, a blank before them stays; names are trimmed when they are read.
    const text = readFileSync(`${folder}/${name}/input.txt`, 'utf8').replaceAll(' ;', ';');
    const again = foldedText(foldedImport(text, { first: 'comm' }), optionsOf(args));
    expect(counts([again])).toEqual(counts([text]));
  });
});
