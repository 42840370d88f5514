import { nameTree } from './name-tree.ts';
import type { Frame, StackProfile } from './stack-profile.ts';

/** The options of the stackcollapse programs; all off unless asked for. */
export type FoldedOptions = Readonly<{
  /** "java-1234" instead of "java", "java-1234/1240" with threads; "?" where it is not known. */
  ids?: 'pid' | 'tid';
  /** `_[k]` behind names of the kernel, `_[j]` behind those of a JIT, `_[i]` behind inlined ones. */
  kernel?: boolean;
  jit?: boolean;
  inlined?: boolean;
}>;

/** What can be marked behind names. */
export const marks = ['kernel', 'jit', 'inlined'] as const;

export type FoldedWish = Readonly<{
  ids?: FoldedOptions['ids'] | undefined;
  marks?: readonly (typeof marks)[number][] | undefined;
}>;

export const foldedOptions = ({ ids, marks: wanted = [] }: FoldedWish): FoldedOptions => ({
  ...(ids === undefined ? {} : { ids }),
  ...Object.fromEntries(wanted.map((mark) => [mark, true])),
});

/**
 * Folded stacks, sorted, as stackcollapse-perf.pl and inferno-collapse-perf write them: the process
 * with its blanks as underscores, then frames from the outermost on, and the weight. Parameters are
 * cut off, semicolons become colons, `a->b` of a JIT that inlined becomes two frames, a function
 * without a name is that of its file in brackets. Other than those programs it keeps C++ names that
 * start with "(anonymous namespace)", and samples without a stack, as the name of the process alone.
 */
export function writeFolded(
  profile: StackProfile,
  options: FoldedOptions,
  emit: (piece: Uint8Array) => void,
): void {
  const tree = nameTree();
  const plain: (readonly number[])[] = [];
  const java: (readonly number[])[] = [];
  let stack = new Int32Array(1024);
  let depth = 0;

  function push(names: readonly number[]): void {
    for (let at = 0; at < names.length; at++) {
      if (depth === stack.length) stack = doubled(stack);
      stack[depth++] = names[at] ?? 0;
    }
  }

  function namesOf(frame: number, isJava: boolean): readonly number[] {
    const known = isJava ? java : plain;
    known[frame] ??= foldedNames(profile.frames[frame], isJava, options).map(tree.name);
    return known[frame] ?? [];
  }

  for (const { frames, comm, pid, tid, weight } of profile.stacks) {
    const isJava = comm?.startsWith('java') ?? false;
    depth = 0;
    // Imported folded stacks may begin with a function.
    if (comm !== null) stack[depth++] = tree.name(processName(comm, pid, tid, options));
    for (let at = 0; at < frames.length; at++) push(namesOf(frames[at] ?? -1, isJava));
    tree.add(stack, depth, weight);
  }
  tree.lines(emit);
}

/** The same as one text. */
export function foldedText(profile: StackProfile, options: FoldedOptions = {}): string {
  const decoder = new TextDecoder();
  let text = '';
  writeFolded(profile, options, (piece) => {
    text += decoder.decode(piece, { stream: true });
  });
  return text;
}

function doubled(from: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const to = new Int32Array(from.length * 2);
  to.set(from);
  return to;
}

function processName(
  comm: string,
  pid: number | null,
  tid: number | null,
  { ids }: FoldedOptions,
): string {
  const name = comm.replaceAll(' ', '_').replaceAll(';', ':');
  if (ids === 'pid') return `${name}-${pid ?? '?'}`;
  return ids === 'tid' ? `${name}-${pid ?? '?'}/${tid ?? '?'}` : name;
}

function foldedNames(
  frame: Frame | undefined,
  isJava: boolean,
  options: FoldedOptions,
): readonly string[] {
  if (!frame) return ['[unknown]'];
  const [called = '', ...inlined] = fullName(frame).split('->');
  const first = `${tidy(called, isJava)}${annotation(frame, options)}`;
  return [first, ...inlined.map((name) => `${tidy(name, isJava)}_[i]`)];
}

function fullName({ name, module }: Frame): string {
  if (name !== '[unknown]' || module === null) return name;
  return `[${module.slice(module.lastIndexOf('/') + 1)}]`;
}

function annotation({ kind, module }: Frame, { kernel, jit, inlined }: FoldedOptions): string {
  const inKernel = kind === 'kernel' || kind === 'bpf' || kind === 'guest' || module === '[vdso]';
  if (kernel && inKernel) return '_[k]';
  if (jit && kind === 'jit') return '_[j]';
  return inlined && kind === 'inlined' ? '_[i]' : '';
}

function tidy(name: string, isJava: boolean): string {
  // Line ends would begin stacks of their own.
  const plain = withoutParameters(name.replaceAll(';', ':').replace(/\s/g, ' '));
  return isJava && plain.startsWith('L') && plain.includes('/') ? plain.slice(1) : plain;
}

/**
 * "f(int)" without what follows f. Kept are the receivers of Go, `http.(*Client).Do`, the anonymous
 * namespace of C++, and parentheses within template arguments and other brackets.
 */
function withoutParameters(name: string): string {
  let depth = 0;
  for (let at = name.search(/[<{[(]/); at >= 0 && at < name.length; at++) {
    const sign = name.charAt(at);
    if (sign === '(' && depth === 0 && !isPartOfName(name, at)) return name.slice(0, at);
    if ('<{[('.includes(sign)) depth++;
    else if ('>}])'.includes(sign)) depth--;
  }
  return name;
}

const isPartOfName = (name: string, at: number): boolean =>
  name.charAt(at - 1) === '.' || name.startsWith('(anonymous namespace)', at);
