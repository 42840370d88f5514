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
  xdgOpen: {
    name: 'xdg-open',
    candidates: bin('xdg-open'),
    packages: { apt: 'xdg-utils', dnf: 'xdg-utils' },
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
  nsenter: {
    name: 'nsenter',
    candidates: ['/usr/bin/nsenter', '/bin/nsenter'],
    packages: { apt: 'util-linux', dnf: 'util-linux' },
  },
  mount: {
    name: 'mount',
    candidates: ['/usr/bin/mount', '/bin/mount'],
    packages: { apt: 'mount', dnf: 'util-linux' },
  },
  prlimit: {
    name: 'prlimit',
    candidates: ['/usr/bin/prlimit', '/bin/prlimit'],
    packages: { apt: 'util-linux', dnf: 'util-linux' },
  },
  sudo: {
    name: 'sudo',
    candidates: ['/usr/bin/sudo'],
    packages: { apt: 'sudo', dnf: 'sudo' },
  },
  cat: {
    name: 'cat',
    candidates: ['/usr/bin/cat', '/bin/cat'],
    packages: { apt: 'coreutils', dnf: 'coreutils' },
  },
} as const satisfies Record<string, Program>;

/** Tracers that two collections ship under the same names, and what their packages are called. */
export const traceTools = [
  'biolatency',
  'gethostlatency',
  'runqlat',
  'syscount',
  'execsnoop',
  'offcputime',
] as const;
export type TraceTool = (typeof traceTools)[number];

/** Tracers of those collections that a host is asked for; only `traceTools` are ever started. */
export const knownTracers = [
  'offcputime',
  'biolatency',
  'runqlat',
  'tcplife',
  'tcpconnect',
  'execsnoop',
  'syscount',
  'funclatency',
  'gethostlatency',
  'filelife',
  'fileslower',
  'bitesize',
  'opensnoop',
  'vfsstat',
  'vfscount',
] as const;
type KnownTracer = (typeof knownTracers)[number];

/** libbpf-tools: compiled, need BTF and no headers. Fedora puts `bpf-` in front of the names. */
export const libbpfTool = (tool: KnownTracer): Program => ({
  name: `${tool} of libbpf-tools`,
  candidates: [`/usr/sbin/${tool}`, `/usr/sbin/bpf-${tool}`, `/usr/bin/bpf-${tool}`],
  packages: { apt: 'libbpf-tools', dnf: 'libbpf-tools' },
});

/** BCC: Python, compiles on each start against the headers of the kernel. */
export const bccTool = (tool: KnownTracer): Program => ({
  name: `${tool} of BCC`,
  candidates: [`/usr/sbin/${tool}-bpfcc`, `/usr/share/bcc/tools/${tool}`],
  packages: { apt: 'bpfcc-tools', dnf: 'bcc-tools' },
});
