import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type InsertProbe, retargetDsqProgram } from '../../allowlist/dsq-program.ts';

const shipped = readFileSync('scripts/bpftrace/dsq.bt', 'utf8');
const positions = { p: 4, dsq: 3, enq_flags: 6 };
const changedLines = (program: string) => {
  const before = shipped.split('\n');
  return program.split('\n').filter((line, index) => line !== before[index]);
};

test('up to 7.2 with a new bpftrace the program runs as shipped', () => {
  const probe: InsertProbe = { symbol: 'dispatch_enqueue', by: 'name', kind: 'fentry' };
  expect(retargetDsqProgram(shipped, probe)).toBe(shipped);
});

test('before 0.21 only the probe line differs', () => {
  const probe: InsertProbe = { symbol: 'dispatch_enqueue', by: 'name', kind: 'kfunc' };
  expect(changedLines(retargetDsqProgram(shipped, probe))).toEqual(['kfunc:dispatch_enqueue']);
});

test('on 7.3 the arguments come from the registers and the stack, where BTF tells', () => {
  const probe: InsertProbe = {
    symbol: 'scx_dispatch_enqueue',
    by: 'register',
    kind: 'kprobe',
    registers: 6,
    positions,
  };
  const program = retargetDsqProgram(shipped, probe);
  expect(changedLines(program)).toEqual([
    'kprobe:scx_dispatch_enqueue',
    '  $p = (struct task_struct *)arg4;',
    '  $dsq = (struct scx_dispatch_q *)arg3;',
    '  $flags = sarg0;',
  ]);
});

test('what the kernel is given and has not put into the task yet is what is told', () => {
  const probe: InsertProbe = {
    symbol: 'scx_dispatch_enqueue',
    by: 'register',
    kind: 'kprobe',
    registers: 6,
    positions: { dsq: 2, p: 3, slice: 4, vtime: 5, enq_flags: 6 },
  };
  expect(changedLines(retargetDsqProgram(shipped, probe)).slice(-2)).toEqual([
    '  $slice = arg4 == 0 ? (uint64)$p->scx.slice : (uint64)arg4;',
    '  $vtime = (uint64)arg5;',
  ]);
});

describe('refused', () => {
  test.each([[-1], [10], [1.5], [Number.NaN]])('an argument at position %s', (dsq) => {
    const probe = {
      symbol: 'scx_dispatch_enqueue',
      by: 'register',
      kind: 'kprobe',
      registers: 6,
      positions: { ...positions, dsq },
    } as const;
    expect(() => retargetDsqProgram(shipped, probe)).toThrow(/register/);
  });

  test('a function that is not in the table', () => {
    const symbol: string = 'x { system("id") }';
    const probe = { symbol, by: 'name', kind: 'fentry' } as unknown as InsertProbe;
    expect(() => retargetDsqProgram(shipped, probe)).toThrow(/unknown/);
  });

  test('a program without the probe that is replaced', () => {
    const probe: InsertProbe = { symbol: 'dispatch_enqueue', by: 'name', kind: 'kfunc' };
    expect(() => retargetDsqProgram('BEGIN {}', probe)).toThrow(/no insert probe/);
  });
});
