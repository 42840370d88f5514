import type { Program } from './command.ts';

const bin = (name: string): readonly string[] => [
  `/usr/bin/${name}`,
  `/usr/sbin/${name}`,
  `/usr/local/bin/${name}`,
  `/usr/local/sbin/${name}`,
];

/** Every outside program that this package may start, and where it may lie. */
export const programs = {
  perf: { name: 'perf', candidates: bin('perf'), packages: { apt: 'linux-perf', dnf: 'perf' } },
  bpftool: {
    name: 'bpftool',
    candidates: bin('bpftool'),
    packages: { apt: 'bpftool', dnf: 'bpftool' },
  },
  bpftrace: {
    name: 'bpftrace',
    candidates: bin('bpftrace'),
    packages: { apt: 'bpftrace', dnf: 'bpftrace' },
  },
} as const satisfies Record<string, Program>;

/** What src/exec/ puts in front of a command; no command line of ours is made of them. */
export const wrappers = {
  setpriv: {
    name: 'setpriv',
    candidates: ['/usr/bin/setpriv', '/bin/setpriv'],
    packages: { apt: 'util-linux', dnf: 'util-linux' },
  },
  unshare: {
    name: 'unshare',
    candidates: ['/usr/bin/unshare', '/bin/unshare'],
    packages: { apt: 'util-linux', dnf: 'util-linux' },
  },
} as const satisfies Record<string, Program>;
