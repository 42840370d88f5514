import { parseBpftraceLine } from '../../parsers/bpftrace-json/bpftrace-json.ts';
import { ParseError } from '../../parsers/parsed.ts';
import { stackBuilder } from './stack-builder.ts';
import type { FrameKind, StackProfile } from './stack-profile.ts';

type Values = ReadonlyMap<string, Readonly<{ weight: number; samples: number }>>;

/**
 * What `bpftrace -f json` printed: each map whose keys hold stacks, `@[kstack, ustack, comm] = count()`
 * or `sum(…)` or `stats(…)`, is a profile. Of a sum the number of samples is not known: 1 each.
 *
 * @throws ParseError where there is no such map
 */
export function readBpftrace(text: string): readonly StackProfile[] {
  const maps = new Map<string, Values>();
  let lost = 0;
  for (const line of text.split('\n')) {
    const record = parseBpftraceLine(line);
    if (record?.type === 'lost_events') lost += record.events;
    if (record?.type === 'map') {
      maps.set(
        record.name,
        weights(record.values, (value) => [value, value]),
      );
    } else if (record?.type === 'stats') {
      maps.set(
        record.name,
        weights(record.values, ({ total, count }) => [total, count]),
      );
    }
  }
  const profiles = [...maps].flatMap(([name, values]) => {
    const stacked = [...values].filter(([key]) => isStacked(key));
    return stacked.length === 0 ? [] : [profileOf(name, stacked, lost)];
  });
  if (profiles.length === 0) throw new ParseError('no map of bpftrace in it has stacks as keys');
  return profiles.sort((a, b) => b.total - a.total);
}

function weights<T>(
  values: ReadonlyMap<string, T>,
  of: (value: T) => readonly [weight: number, samples: number],
): Values {
  return new Map(
    [...values].map(([key, value]) => {
      const [weight, samples] = of(value);
      return [key, { weight, samples }];
    }),
  );
}

const isStacked = (key: string): boolean => /\n {2,}/.test(key.replaceAll('\\n', '\n'));

function profileOf(
  name: string,
  values: readonly (readonly [string, { weight: number; samples: number }])[],
  lost: number,
): StackProfile {
  const builder = stackBuilder();
  const in_ns = /_ns$/.test(name);
  for (const [key, { weight, samples }] of values) {
    const { stacks, words } = keyParts(key);
    const frames = stacks
      .map((stack) => ({ stack, kernel: isKernel(stack) }))
      .sort((a, b) => Number(a.kernel) - Number(b.kernel))
      .flatMap(({ stack, kernel }) => stack.toReversed().map((each) => frameOf(each, kernel)));
    const pid = words.find((word) => /^\d+$/.test(word));
    const comm = words.find((word) => !/^-?\d+$/.test(word) && word !== '');
    const task = { comm: comm ?? null, pid: pid === undefined ? null : Number(pid), tid: null };
    builder.add(frames, task, weight, in_ns ? 1 : samples);
  }
  return builder.finish({
    event: name,
    unit: in_ns ? 'ns' : 'count',
    period: null,
    duration_ms: null,
    lost,
    warnings: [],
  });

  function frameOf(text: string, kernel: boolean): number {
    const kind: FrameKind = kernel ? 'kernel' : 'user';
    const [, plain = text, module = null] = /^(.*) \((\/.*|\[.*\])\)$/.exec(text) ?? [];
    return builder.frame({ name: plain.replace(/\+\d+$/, ''), module, kind });
  }
}

/** Stacks have a line for each frame, all else stands between commas. 0.23 writes line ends as \n. */
function keyParts(
  key: string,
): Readonly<{ stacks: readonly string[][]; words: readonly string[] }> {
  const stacks: string[][] = [];
  const words: string[] = [];
  let open: string[] = [];
  for (const line of key.replaceAll('\\n', '\n').split('\n')) {
    if (/^ {2,}/.test(line)) {
      if (open.length === 0) stacks.push(open);
      open.push(line.trim());
    } else {
      open = [];
      words.push(...line.split(',').filter((word) => word !== ''));
    }
  }
  return { stacks, words };
}

/** Where the kernel begins: the entry of a call, a fault, an interrupt or a thread of its own. */
const entry =
  /^(?:entry_|asm_|ret_from_fork|el0t?_|el1h?_|ret_to_user|secondary_startup|start_secondary|x64_sys_call|do_syscall_64)/;

const isKernel = (stack: readonly string[]): boolean => stack.some((frame) => entry.test(frame));
