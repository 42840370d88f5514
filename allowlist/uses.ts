import type { Program } from './command.ts';
import { bccTool, libbpfTool, programs, traceTools, wrappers } from './programs.ts';

/** What a program is started for, and what that takes. */
type Use = Readonly<{
  /** As people know it. */
  program: string;
  what: string;
  /** Rights or settings of the host; null where any user will do. */
  needs: string | null;
  /** Packages that have it. */
  packages: Program['packages'] | null;
}>;

const root = 'root';
const [tracer] = traceTools;

/** Every program that is started, for people who decide whether it may be. One line per use. */
export const uses: readonly Use[] = [
  {
    program: 'perf record, perf script',
    what: 'profiles, on request',
    needs: 'root, or kernel.perf_event_paranoid ≤ 2 for your own processes',
    packages: programs.perf.packages,
  },
  {
    program: 'perf stat',
    what: 'context switches and migrations by CPU',
    needs: 'root, or kernel.perf_event_paranoid ≤ 0',
    packages: programs.perf.packages,
  },
  {
    program: 'perf list',
    what: 'trace events where tracefs is not mounted',
    needs: root,
    packages: programs.perf.packages,
  },
  {
    program: 'perf trace',
    what: 'counts and times of system calls, where bpftrace cannot',
    needs: root,
    packages: programs.perf.packages,
  },
  {
    program: 'bpftrace',
    what: 'everything that is traced: programs shipped in scripts/bpftrace, integers as parameters',
    needs: root,
    packages: programs.bpftrace.packages,
  },
  {
    program: 'bpftool',
    what: 'BPF programs, links and maps',
    needs: root,
    packages: programs.bpftool.packages,
  },
  {
    program: `${traceTools.join(', ')} of libbpf-tools`,
    what: 'the same for some tools, where bpftrace cannot',
    needs: root,
    packages: libbpfTool(tracer).packages,
  },
  {
    program: 'the same of BCC',
    what: 'the same, where libbpf-tools cannot',
    needs: root,
    packages: bccTool(tracer).packages,
  },
  {
    program: 'dmesg',
    what: 'why the last sched_ext scheduler ended',
    needs: 'root, or kernel.dmesg_restrict 0',
    packages: wrappers.setpriv.packages,
  },
  {
    program: 'cat',
    what: 'which kernel functions can be traced, where the server is not root: two files of tracefs and debugfs',
    needs: root,
    packages: wrappers.cat.packages,
  },
  {
    program: 'py-spy, austin',
    what: 'lines of a Python that runs already, without stopping it',
    needs: 'root, or a process of your own and kernel.yama.ptrace_scope 0',
    packages: null,
  },
  {
    program: 'python3 -m scalene, python3',
    what: 'Python programs below --python-root, on request; as their owner or nobody, never as root unless --python-as-root',
    needs: null,
    packages: { apt: 'python3-scalene', dnf: 'python3-pip' },
  },
  {
    program: 'perf script on a file of yours',
    what: 'imports below --import-root, on request; as the owner of the file',
    needs: null,
    packages: programs.perf.packages,
  },
  {
    program: programs.xdgOpen.name,
    what: 'shows a flame graph (profile --open); never as root',
    needs: null,
    packages: programs.xdgOpen.packages,
  },
  {
    program: Object.values(wrappers)
      .map(({ name }) => name)
      .join(', '),
    what: 'around the others: they end with the server, see tracefs, get no more memory than allowed',
    needs: null,
    packages: wrappers.setpriv.packages,
  },
];
