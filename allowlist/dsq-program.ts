import { Refused } from './command.ts';

/**
 * Where a kernel inserts a task into a dispatch queue, and how a probe there reaches its arguments.
 * `by: 'name'` wherever BTF gives them; `by: 'register'` where bpftrace cannot (it knows no fentry
 * with more than six parameters, which 7.3's has), with the positions that BTF tells.
 */
export type InsertProbe =
  | Readonly<{ symbol: InsertSymbol; by: 'name'; kind: 'fentry' | 'kfunc' }>
  | Readonly<{
      symbol: InsertSymbol;
      by: 'register';
      kind: 'kprobe';
      /** How many arguments this processor passes in registers: 6 on x86-64, 8 on arm64. */
      registers: 6 | 8;
      positions: Readonly<Record<Argument, number>>;
    }>;

/** dispatch_enqueue up to 7.2, scx_dispatch_enqueue from 7.3 on (kernel/sched/ext.c). */
export const insertSymbols = ['dispatch_enqueue', 'scx_dispatch_enqueue'] as const;
export type InsertSymbol = (typeof insertSymbols)[number];

export const insertArguments = ['p', 'dsq', 'enq_flags'] as const;
type Argument = (typeof insertArguments)[number];

/** Types for arguments that come from registers. */
const casts: Readonly<Record<Argument, string>> = {
  p: '(struct task_struct *)',
  dsq: '(struct scx_dispatch_q *)',
  enq_flags: '',
};

const shippedProbe = 'fentry:vmlinux:dispatch_enqueue';
/** Arguments beyond the registers that a probe may take from the stack. */
const most_on_stack = 4;

/**
 * scripts/bpftrace/dsq.bt for another kernel: its probe line and the three arguments are replaced,
 * nothing else. Every piece that goes in is from this file or a small integer.
 */
export function retargetDsqProgram(shipped: string, probe: InsertProbe): string {
  if (!insertSymbols.includes(probe.symbol)) throw new Refused('unknown kernel function');
  if (!shipped.includes(`\n${shippedProbe}\n`)) throw new Refused('dsq.bt has no insert probe');
  const target =
    probe.by === 'name' && probe.kind === 'fentry'
      ? `fentry:vmlinux:${probe.symbol}`
      : `${probe.kind}:${probe.symbol}`;
  const program = shipped.replace(`\n${shippedProbe}\n`, `\n${target}\n`);
  if (probe.by === 'name') return program;
  return insertArguments.reduce(
    (text, name) => text.replace(` = args->${name};`, ` = ${casts[name]}${place(probe, name)};`),
    program,
  );
}

/** bpftrace's argN is a register, sargN a word on the stack at the entry of the function. */
function place({ positions, registers }: InsertProbe & { by: 'register' }, name: Argument): string {
  const position = positions[name];
  if (!Number.isInteger(position) || position < 0 || position >= registers + most_on_stack) {
    throw new Refused(`argument ${name} is neither in a register nor near the top of the stack`);
  }
  return position < registers ? `arg${position}` : `sarg${position - registers}`;
}
