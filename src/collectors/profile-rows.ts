import { frameText } from '../analysis/call-tree.ts';
import type { Profile } from '../analysis/profile.ts';
import {
  type SymbolDetail,
  type SymbolWeight,
  symbolDetails,
} from '../analysis/profile-symbols.ts';

export type StackTrace = Readonly<{
  /** Innermost first, without the module of the core kernel. */
  kernel_stack: readonly string[];
  user_stack: readonly string[];
  count: number;
}>;

export type SymbolRow = Readonly<{
  symbol: string;
  module: string;
  /** perf script names no source lines. */
  file: null;
  line: null;
  address: string;
  /** Samples in the function itself; with what it calls. */
  count: number;
  percentage: number;
  total_count: number;
  total_percentage: number;
  /** The process that was most often in it or in what it calls. */
  pid: number | null;
  comm: string | null;
  is_kernel: boolean;
  layer_id: null;
  callers: readonly Readonly<{ symbol: string; percentage: number }>[];
  /** How many different stacks end in it. */
  distinct_stacks: number;
  stack_traces?: readonly StackTrace[];
}>;

const max_callers = 3;
const max_stacks = 5;
const max_frames = 24;
const max_name = 100;

/** The rows of the given functions, without their stacks. */
export function symbolRows(
  profile: Profile,
  ranked: readonly SymbolWeight[],
  show_addresses: boolean,
): readonly Readonly<{ row: SymbolRow; detail: SymbolDetail }>[] {
  const wanted = ranked.map(({ symbol }) => symbol);
  const details = symbolDetails(profile, wanted, max_stacks);
  return ranked.flatMap((weight) => {
    const detail = details.get(weight.symbol);
    if (!detail) return [];
    const row = symbolRow(profile, weight, detail);
    // As the kernel itself shows those that it hides.
    return [{ row: row.is_kernel && !show_addresses ? { ...row, address: '0x0' } : row, detail }];
  });
}

function symbolRow(profile: Profile, weight: SymbolWeight, detail: SymbolDetail): SymbolRow {
  const { self, total } = weight;
  const symbol = profile.symbols[weight.symbol];
  const process = profile.processes[detail.processes[0]?.process ?? -1];
  return {
    symbol: symbol?.symbol ?? '[unknown]',
    module: symbol?.module ?? '[unknown]',
    file: null,
    line: null,
    address: symbol?.address ?? '0x0',
    count: self,
    percentage: share(self, profile.total),
    total_count: total,
    total_percentage: share(total, profile.total),
    pid: process?.pid ?? null,
    comm: process?.comm ?? null,
    is_kernel: symbol?.is_kernel ?? false,
    layer_id: null,
    callers: detail.callers.slice(0, max_callers).map((caller) => ({
      symbol: caller.symbol === null ? '[no caller]' : shortFrame(profile, caller.symbol),
      percentage: share(caller.weight, total),
    })),
    distinct_stacks: detail.distinct_stacks,
  };
}

/**
 * Adds the heaviest stacks of all rows, heaviest first, for as long as the bytes last: what is shown
 * explains the most samples.
 */
export function addStacks(
  profile: Profile,
  rows: readonly Readonly<{ row: SymbolRow; detail: SymbolDetail }>[],
  budget_bytes: number,
): readonly SymbolRow[] {
  const traces = rows.map((): StackTrace[] => []);
  const candidates = rows
    .flatMap(({ detail }, index) => detail.stacks.map((stack) => ({ index, stack })))
    .sort((a, b) => b.stack.weight - a.stack.weight);
  let left = budget_bytes;
  for (const { index, stack } of candidates) {
    const trace = stackTrace(profile, stack.frames, stack.weight);
    const bytes = Buffer.byteLength(JSON.stringify(trace)) + 1;
    if (bytes > left) continue;
    left -= bytes;
    traces[index]?.push(trace);
  }
  return rows.map(({ row }, index) => ({ ...row, stack_traces: traces[index] ?? [] }));
}

/** The kernel's part comes first: what the processor did is inside what the program asked for. */
function stackTrace(profile: Profile, frames: readonly number[], count: number): StackTrace {
  const firstUser = frames.findIndex((frame) => !profile.symbols[frame]?.is_kernel);
  const boundary = firstUser < 0 ? frames.length : firstUser;
  return {
    kernel_stack: names(profile, frames.slice(0, boundary)),
    user_stack: names(profile, frames.slice(boundary)),
    count,
  };
}

function names(profile: Profile, frames: readonly number[]): string[] {
  const shown = frames.slice(0, max_frames).map((frame) => shortFrame(profile, frame));
  const left_out = frames.length - shown.length;
  return left_out === 0 ? shown : [...shown, `… ${left_out} more`];
}

export function shortFrame(profile: Profile, symbol: number, max = max_name): string {
  const text = frameText(profile, symbol);
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}

export function share(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part / whole) * 10_000) / 100;
}
