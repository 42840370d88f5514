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
  kind: FrameKind;
}>;

/**
 * `jit`: code that a runtime wrote at run time and left a map for. `inlined`: a function without
 * code of its own. `unknown`: neither a name nor a file.
 */
export type FrameKind = 'kernel' | 'user' | 'jit' | 'inlined' | 'bpf' | 'guest' | 'unknown';

const tab = 9;
const space = 32;
const unknown = '[unknown]';
const inlined = 'inlined';
/** Of a name: those of C++ templates reach a few thousand characters. */
const longest = 4096;
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
  const closed = withoutModuleOffset(text);
  const open = closed.endsWith(')') ? moduleStart(closed) : -1;
  const symbol = withoutOffset(open < 0 ? text : closed.slice(0, open)) || unknown;
  const module = (open < 0 ? '' : closed.slice(open + 2, -1)) || unknown;
  const is_kernel = isKernel(module, hex);
  return {
    symbol: untrusted(symbol, longest) || unknown,
    module: untrusted(module, longest) || unknown,
    address: `0x${hex}`,
    is_kernel,
    kind: kindOf(symbol, module, is_kernel),
  };
}

function kindOf(symbol: string, module: string, is_kernel: boolean): FrameKind {
  if (module === inlined) return inlined;
  if (module.startsWith('[guest.')) return 'guest';
  if (module.startsWith('bpf_') || (is_kernel && isBpf(symbol))) return 'bpf';
  if (is_kernel) return 'kernel';
  if (isJitted(module)) return 'jit';
  return symbol === unknown && module === unknown ? 'unknown' : 'user';
}

/** The kernel names its programs bpf_prog_<tag>_<name>, and what leads to them as below. */
const isBpf = (symbol: string): boolean =>
  /^bpf_(?:prog_[0-9a-f]{16}|trampoline_\d|dispatcher_\w+_func$)/.test(symbol);

/** A map that a runtime wrote, or a file that `perf inject --jit` made for one function. */
const isJitted = (module: string): boolean =>
  /\/(?:perf-\d+\.map|jitted-\d+-\d+\.so)$/.test(module);

/** Where " (module)" begins, or -1. Modules without a path are `inlined` and BPF programs. */
function moduleStart(text: string): number {
  if (text.startsWith('(') && !text.includes(' (')) return -1;
  if (text.endsWith(' (inlined)')) return text.length - ' (inlined)'.length;
  const path = Math.max(text.lastIndexOf(' (/'), text.lastIndexOf(' (['));
  if (path >= 0) return path;
  const upTo = text.endsWith(deleted) ? text.length - deleted.length - 1 : text.length;
  return text.lastIndexOf(' (', upTo);
}

/** With `-F +dsoff` (6.4) the offset into the file follows its name: "(/usr/bin/node+0x10cfd1c)". */
function withoutModuleOffset(text: string): string {
  if (!text.endsWith(')')) return text;
  const inside = text.slice(0, -1);
  const shorter = withoutOffset(inside);
  return shorter === inside ? text : `${shorter})`;
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
