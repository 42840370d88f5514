import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { callTree } from '../../src/analysis/call-tree.ts';
import { pairTable } from '../../src/analysis/pair-table.ts';
import { type Profile, profileBuilder } from '../../src/analysis/profile.ts';
import { rankSymbols, symbolDetails } from '../../src/analysis/profile-symbols.ts';

type Stack = Readonly<{ process: string; cpu: number; frames: readonly string[] }>;

/** Frames innermost first; a name that starts with k is of the kernel. */
function build(stacks: readonly Stack[]): Profile {
  const builder = profileBuilder();
  for (const { process, cpu, frames } of stacks) {
    const numbers = frames.map((symbol) =>
      builder.symbol({
        symbol,
        module: symbol.startsWith('k') ? '[kernel.kallsyms]' : '/bin/app',
        is_kernel: symbol.startsWith('k'),
        address: '0x10',
      }),
    );
    const pid = process.charCodeAt(0);
    const task = builder.process({ comm: process, pid, tid: pid + frames.length });
    const stack = builder.stack(Int32Array.from([...numbers, 7, 7]), frames.length);
    builder.add({ process: task, stack, cpu, weight: 1 });
  }
  return builder.finish();
}

const of = (frames: string, process = 'app', cpu = 0): Stack => ({
  process,
  cpu,
  frames: frames === '' ? [] : frames.split(' '),
});
const times = <T>(count: number, item: T): T[] => Array<T>(count).fill(item);
const named = (profile: Profile, name: string): number =>
  profile.symbols.findIndex(({ symbol }) => symbol === name);

const stack = fc.record({
  process: fc.constantFrom('a', 'b', 'c'),
  cpu: fc.nat(3),
  frames: fc.array(fc.constantFrom<string[]>('f', 'g', 'h', 'k1', 'k2', 'main'), { maxLength: 8 }),
});

describe('a profile', () => {
  test('gives each function the samples in itself and with all it calls, as counted one by one', () => {
    fc.assert(
      fc.property(fc.array(stack, { maxLength: 60 }), (stacks) => {
        const profile = build(stacks);
        for (const { symbol, self, total } of rankSymbols(profile, 'self')) {
          const name = profile.symbols[symbol]?.symbol ?? '';
          expect(self).toBe(stacks.filter(({ frames }) => frames[0] === name).length);
          expect(total).toBe(stacks.filter(({ frames }) => frames.includes(name)).length);
        }
        expect(profile.total).toBe(stacks.length);
        expect(profile.kernel).toBe(
          stacks.filter(({ frames }) => frames[0]?.startsWith('k')).length,
        );
        expect(profile.without_stack).toBe(
          stacks.filter(({ frames }) => frames.length === 0).length,
        );
      }),
    );
  });

  test('knows who called each function, in which processes it was, and its stacks', () => {
    fc.assert(
      fc.property(fc.array(stack, { maxLength: 40 }), (stacks) => {
        const profile = build(stacks);
        const all = profile.symbols.map((_symbol, number) => number);
        for (const [symbol, detail] of symbolDetails(profile, all, 1000)) {
          const name = profile.symbols[symbol]?.symbol ?? '';
          const withIt = stacks.filter(({ frames }) => frames.includes(name));
          const callers = detail.callers.map(({ symbol: caller, weight }) => {
            const callerName = caller === null ? undefined : profile.symbols[caller]?.symbol;
            const naive = withIt.filter(
              ({ frames }) => frames[frames.indexOf(name) + 1] === callerName,
            );
            expect(weight).toBe(naive.length);
            return weight;
          });
          expect(callers.reduce((sum, weight) => sum + weight, 0)).toBe(withIt.length);
          for (const { process, weight } of detail.processes) {
            const comm = profile.processes[process]?.comm;
            expect(weight).toBe(withIt.filter((each) => each.process === comm).length);
          }
          const ends = stacks.filter(({ frames }) => frames[0] === name);
          expect(detail.stacks.reduce((sum, { weight }) => sum + weight, 0)).toBe(ends.length);
          expect(detail.distinct_stacks).toBe(
            new Set(ends.map(({ frames }) => frames.join(' '))).size,
          );
        }
      }),
    );
  });

  test('does not grow with samples whose stacks it has met', () => {
    const stacks = [of('k1 f main'), of('g f main', 'b', 1)];
    const once = build(stacks);
    const often = build(times(5000, stacks).flat());
    expect(often.nodes.parents.length).toBe(once.nodes.parents.length);
    expect(often.shares.nodes.length).toBe(once.shares.nodes.length);
    expect([once.total, often.total]).toEqual([2, 10_000]);
    expect([...often.by_cpu]).toEqual([
      [0, 5000],
      [1, 5000],
    ]);
  });

  test('keeps functions of one name in different files apart', () => {
    const builder = profileBuilder();
    const frame = { symbol: 'main', is_kernel: false, address: '0x1' };
    const a = builder.symbol({ ...frame, module: '/bin/a' });
    expect(builder.symbol({ ...frame, module: '/bin/b' })).not.toBe(a);
    expect(builder.symbol({ ...frame, module: '/bin/a', address: '0x2' })).toBe(a);
  });

  test('counts the threads of a process once each', () => {
    const builder = profileBuilder();
    const tids = [10, 11, 12, 11, 10];
    const numbers = tids.map((tid) => builder.process({ comm: 'app', pid: 10, tid }));
    expect(new Set(numbers).size).toBe(1);
    expect(builder.finish().processes).toEqual([{ comm: 'app', pid: 10, threads: 3 }]);
  });
});

describe('the callers of a function', () => {
  const profile = build([
    ...times(42, of('kschedule knano ksleep ksyscall sleep app_a')),
    ...times(31, of('kschedule kfutex ksyscall wait app_b')),
    ...times(27, of('kschedule kio kfault')),
    ...times(50, of('spin app_a')),
  ]);
  const tree = callTree(profile, [named(profile, 'kschedule')]);

  test('are a tree with the heaviest first, chains on one line', () => {
    expect(tree.lines).toEqual([
      'kschedule: 100 samples, 100 in itself',
      '├─ knano (42 %) ← ksleep ← ksyscall ← sleep [app] ← app_a [app]',
      '├─ kfutex (31 %) ← ksyscall ← wait [app] ← app_b [app]',
      '└─ kio (27 %) ← kfault',
    ]);
  });

  test('branch where the paths part', () => {
    const parted = build([...times(3, of('f g a main')), ...times(1, of('f g b main'))]);
    expect(callTree(parted, [named(parted, 'f')]).lines).toEqual([
      'f [app]: 4 samples, 4 in itself',
      '└─ g [app] (100 %)',
      '   ├─ a [app] (75 %) ← main [app]',
      '   └─ b [app] (25 %) ← main [app]',
    ]);
  });

  test('weigh as much as the function, however deep the recursion', () => {
    fc.assert(
      fc.property(fc.array(stack, { minLength: 1, maxLength: 40 }), (stacks) => {
        const any = build(stacks);
        const f = named(any, 'f');
        if (f < 0) return;
        const { total, callers } = callTree(any, [f], {
          depth: 20,
          width: 99,
          path: 1,
          min_pct: 0,
        });
        const withF = stacks.filter(({ frames }) => frames.includes('f'));
        const outermost = withF.filter(({ frames }) => frames.indexOf('f') === frames.length - 1);
        const sum = callers.reduce((weight, caller) => weight + caller.weight, 0);
        expect([total, sum]).toEqual([withF.length, withF.length - outermost.length]);
      }),
    );
  });

  test('that are too light are counted, not shown', () => {
    const wide = build([
      ...times(1000, of('f heavy')),
      ...Array.from({ length: 9 }, (_, at) => of(`f light${at}`)),
    ]);
    const { lines, others } = callTree(wide, [named(wide, 'f')]);
    expect(lines).toHaveLength(3);
    expect(lines[2]).toBe('└─ (9 lighter)');
    expect(others).toBe(9);
  });
});

describe('a pair table', () => {
  test('gives each pair a number of its own, in the order of meeting', () => {
    const pair = fc.tuple(fc.integer({ min: -1, max: 50 }), fc.integer({ min: -1, max: 50 }));
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 3000 }), (pairs) => {
        const table = pairTable();
        const naive = new Map<string, number>();
        for (const [a, b] of pairs) {
          const key = `${a} ${b}`;
          if (!naive.has(key)) naive.set(key, naive.size);
          expect(table.of(a, b)).toBe(naive.get(key));
        }
        const { first, second } = table.members();
        expect([...naive.keys()]).toEqual([...first].map((a, number) => `${a} ${second[number]}`));
      }),
      { numRuns: 30 },
    );
  });
});
