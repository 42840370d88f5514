import { integer, matching, Refused } from './command.ts';
import { function_name, refusedFunction } from './function-names.ts';

export const functionModes = ['count', 'latency', 'stacks'] as const;
export type FunctionMode = (typeof functionModes)[number];

/** `kfunc` is what bpftrace called fentry before 0.21. */
export type FunctionProbe = Readonly<{ name: string; kind: 'fentry' | 'kfunc' | 'kprobe' }>;

export const most_functions = 10;

const shippedEntry = 'kprobe:vfs_read';
const shippedReturn = 'kretprobe:vfs_read';
const behindProbes = '\ninterval:ms:10\n';

/** Where a probe is put: at the entry of the function, and at its return. */
export function attachPoints({
  name,
  kind,
}: FunctionProbe): Readonly<{ entry: string; exit: string }> {
  if (kind === 'fentry') return { entry: `fentry:vmlinux:${name}`, exit: `fexit:vmlinux:${name}` };
  if (kind === 'kfunc') return { entry: `kfunc:${name}`, exit: `kretfunc:${name}` };
  return { entry: `kprobe:${name}`, exit: `kretprobe:${name}` };
}

/**
 * One of scripts/bpftrace/function-*.bt for other functions: the probes of its example are repeated
 * for each, with its attach points and its number in the keys of the maps. Nothing else goes in. The
 * names are of the kernel's own alphabet, and the caller has found them among its functions.
 */
export function functionProgram(
  shipped: string,
  mode: FunctionMode,
  probes: readonly FunctionProbe[],
): string {
  if (probes.length === 0 || probes.length > most_functions) {
    throw new Refused(`1 to ${most_functions} functions are traced at once`);
  }
  const from = shipped.indexOf(`\n${shippedEntry}\n`);
  const to = shipped.indexOf(behindProbes);
  if (from < 0 || to < from) throw new Refused('the program has no probes to repeat');
  const example = shipped.slice(from, to);
  const repeated = probes.map((probe, index) => {
    const name = matching('function', probe.name, function_name);
    const reason = refusedFunction(name, mode === 'latency');
    if (reason !== null) throw new Refused(`${name} ${reason}`);
    const { entry, exit } = attachPoints(probe);
    return example
      .replaceAll(`\n${shippedEntry}\n`, `\n${entry}\n`)
      .replaceAll(`\n${shippedReturn}\n`, `\n${exit}\n`)
      .replaceAll('[0', `[${integer('number', index, 0, most_functions - 1)}`);
  });
  return shipped.slice(0, from) + repeated.join('') + shipped.slice(to);
}
