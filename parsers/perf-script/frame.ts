import { untrusted } from '../untrusted.ts';

/** One function on a stack. */
export type Frame = Readonly<{
  /** `[unknown]` where perf found no name. */
  symbol: string;
  /** The file as perf prints it, `[kernel.kallsyms]`, a kernel module `[ext4]`, or `[unknown]`. */
  module: string;
  /**
   * Hex, an address in memory. In the stacks of some versions of perf (6.1 among them, 6.4 no more)
   * it is for programs the one that objdump shows.
   */
  address: string;
  is_kernel: boolean;
}>;

const tab = 9;
const space = 32;
const unknown = '[unknown]';
const deleted = ' (deleted))';

/**
 * One line of a stack: address, symbol, module in parentheses. Null where it is not of that form.
 *
 *     	         14cfd1c v8::internal::(anonymous namespace)::Invoke (/usr/bin/node)
 *     	    7fdb1dfc5eeb JS:*spin /srv/app.js:1:17+0x6b (/tmp/perf-8261.map)
 *
 * Symbols hold blanks and parentheses, and so do paths. A path starts with "/" or "[", so the last
 * " (/" or " ([" separates the two; a symbol from a JIT map can hold anything, hence the last one.
 */
export function parseFrame(line: string): Frame | null {
  const start = skipBlanks(line, 0);
  const end = skipHex(line, start);
  const after = line.charCodeAt(end);
  if (end === start || (end < line.length && after !== space && after !== tab)) return null;
  const hex = line.slice(start, end);
  const text = line.slice(end + 1);
  const open = text.endsWith(')') ? moduleStart(text) : -1;
  const symbol = open < 0 ? text : text.slice(0, open);
  const module = open < 0 ? unknown : text.slice(open + 2, -1);
  return {
    symbol: untrusted(withoutOffset(symbol)) || unknown,
    module: untrusted(module) || unknown,
    address: `0x${hex}`,
    is_kernel: isKernel(module, hex),
  };
}

/** Where " (module)" begins, or -1. Modules without a path are `inlined` and BPF programs. */
function moduleStart(text: string): number {
  if (text.startsWith('(') && !text.includes(' (')) return -1;
  if (text.endsWith(' (inlined)')) return text.length - ' (inlined)'.length;
  const path = Math.max(text.lastIndexOf(' (/'), text.lastIndexOf(' (['));
  if (path >= 0) return path;
  const upTo = text.endsWith(deleted) ? text.length - deleted.length - 1 : text.length;
  return text.lastIndexOf(' (', upTo);
}

/** The symbol without the "+0x1c" that perf adds when asked for symoff. */
function withoutOffset(symbol: string): string {
  const plus = symbol.lastIndexOf('+0x');
  if (plus <= 0) return symbol;
  return skipHex(symbol, plus + 3) === symbol.length ? symbol.slice(0, plus) : symbol;
}

/**
 * The upper half of the address space is the kernel's (x86, arm64 and riscv ffff…, ppc64 c000…,
 * loongarch 9000…), the vsyscall page apart. Where it is not (s390), the module tells.
 */
function isKernel(module: string, hex: string): boolean {
  if (module.startsWith('[kernel') || module.startsWith('[guest.kernel')) return true;
  if (hex.length !== 16 || module === '[vsyscall]') return false;
  return hex.startsWith('ffff') || hex.startsWith('c000') || hex.startsWith('9000');
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === space || text.charCodeAt(at) === tab) at++;
  return at;
}

function skipHex(text: string, from: number): number {
  let at = from;
  while (isHexDigit(text.charCodeAt(at))) at++;
  return at;
}

const isHexDigit = (code: number): boolean =>
  (code >= 48 && code <= 57) || (code >= 97 && code <= 102);
