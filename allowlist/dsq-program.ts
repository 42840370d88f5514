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
      positions: Readonly<Record<Argument, number> & Partial<Record<Given, number>>>;
    }>;

/** dispatch_enqueue up to 7.2, scx_dispatch_enqueue from 7.3 on (kernel/sched/ext.c). */
export const insertSymbols = ['dispatch_enqueue', 'scx_dispatch_enqueue'] as const;
export type InsertSymbol = (typeof insertSymbols)[number];

export const insertArguments = ['p', 'dsq', 'enq_flags'] as const;
type Argument = (typeof insertArguments)[number];

/** Where 7.3 and later have the task only after the insert; before that they are in it already. */
export const givenArguments = ['slice', 'vtime'] as const;
type Given = (typeof givenArguments)[number];

/** What a shipped program reads in the task; 0 given for a slice leaves it what it is. */
const ofTask: Readonly<Record<Given, string>> = {
  slice: '  $slice = (uint64)$p->scx.slice;\n',
  vtime: '  $vtime = (uint64)$p->scx.dsq_vtime;\n',
};
const whereGiven: Readonly<Record<Given, (place: string) => string>> = {
  slice: (place) => `  $slice = ${place} == 0 ? (uint64)$p->scx.slice : (uint64)${place};\n`,
  vtime: (place) => `  $vtime = (uint64)${place};\n`,
};

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
 * scripts/bpftrace/dsq.bt for another kernel: its probe line and the arguments are replaced, nothing
 * else. Every piece that goes in is from this file or a small integer.
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
  const { positions } = probe;
  const reached = insertArguments.reduce(
    (text, name) =>
      text.replace(` = args->${name};`, ` = ${casts[name]}${place(probe, name, positions[name])};`),
    program,
  );
  return givenArguments.reduce((text, name) => {
    const position = positions[name];
    if (position === undefined) return text;
    return text.replace(ofTask[name], whereGiven[name](place(probe, name, position)));
  }, reached);
}

/** bpftrace's argN is a register, sargN a word on the stack at the entry of the function. */
function place(
  { registers }: InsertProbe & { by: 'register' },
  name: string,
  position: number,
): string {
  if (!Number.isInteger(position) || position < 0 || position >= registers + most_on_stack) {
    throw new Refused(`argument ${name} is neither in a register nor near the top of the stack`);
  }
  return position < registers ? `arg${position}` : `sarg${position - registers}`;
}
