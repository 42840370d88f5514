import { approve, type Command, oneOf } from './command.ts';
import { programs } from './programs.ts';

/** What bpftool lists. `perf`: programs that hang on perf events. */
export const bpftoolObjects = ['prog', 'link', 'map', 'struct_ops', 'perf'] as const;
export type BpftoolObject = (typeof bpftoolObjects)[number];

/** A host with 5,000 programs prints about 2 MB. */
const limits = { duration_ms: 10_000, output_bytes: 16 * 1024 * 1024 };

/**
 * `bpftool -j <object> show`: reads, changes nothing. Without `-f` bpftool neither walks nor mounts
 * bpffs.
 */
export function bpftoolShow(object: BpftoolObject): Command {
  return approve({
    program: programs.bpftool,
    args: ['-j', oneOf('object', object, bpftoolObjects), 'show'],
    limits,
    request: { maker: 'bpftoolShow', parameters: { object } },
  });
}

/** `bpftool -j struct_ops dump`: which programs implement the operations of each scheduler. */
export function bpftoolStructOpsDump(): Command {
  return approve({
    program: programs.bpftool,
    args: ['-j', 'struct_ops', 'dump'],
    limits,
    request: { maker: 'bpftoolStructOpsDump', parameters: {} },
  });
}

/** Asks the kernel which types of program it loads, by loading one of each for a moment. */
export function bpftoolFeatureProbe(): Command {
  return approve({
    program: programs.bpftool,
    args: ['-j', 'feature', 'probe', 'kernel'],
    limits,
    request: { maker: 'bpftoolFeatureProbe', parameters: {} },
  });
}
