import type { HostFiles } from '../src/procfs/host-files.ts';
import { fakeHost, procStat } from './fake-host.ts';
import { bigServer } from './fake-hosts.ts';
import { type FakeProcess, schedstatText, schedText, statText, statusText } from './fake-proc.ts';
import { writeFakeHost } from './fake-topology.ts';

const first_pid = 1000;
const processes = 100_000;
/** The process with many threads and open files. */
export const crowded_pid = 500;
const threads = 5000;
const descriptors = 30_000;

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
/** As long as Linux lets it be. */
const comm = (id: number): string => `worker/u1024:${id % 100}`.slice(0, 15);

/**
 * The files of a server of 512 CPUs with 100,000 processes, 400 disks, 600 network interfaces and
 * 3,000 cgroups, whose counters grow with the clock. Processes are made when they are read.
 */
export function hugeHost(
  nowMs: () => number,
): Readonly<{ root: string; files(base: HostFiles): HostFiles }> {
  const root = fakeHost(otherFiles(), writeFakeHost(bigServer()));
  const text = (path: string): string | null =>
    processFile(path, nowMs()) ?? hostFile(path, nowMs() / 1000);
  return {
    root,
    files: (base) => ({
      ...base,
      read(path, maxBytes) {
        const made = text(path);
        return made === null
          ? base.read(path, maxBytes)
          : {
              ok: true,
              text: made.slice(0, maxBytes),
              truncated: made.length > (maxBytes ?? Number.POSITIVE_INFINITY),
            };
      },
      text: (path) => text(path) ?? base.text(path),
      list: (path) => listing(path) ?? base.list(path),
      link: (path) => linked(path) ?? base.link(path),
      exists: (path) => text(path) !== null || base.exists(path),
    }),
  };
}

function listing(path: string): string[] | null {
  if (path === '/proc') {
    return [
      String(crowded_pid),
      ...numbers(processes).map((id) => String(first_pid + id)),
      'self',
      'stat',
    ];
  }
  if (path === `/proc/${crowded_pid}/task`)
    return numbers(threads).map((id) => String(crowded_pid + id * 200_000));
  if (path === `/proc/${crowded_pid}/fd`) return numbers(descriptors).map(String);
  const [, pid] = /^\/proc\/(\d+)\/task$/.exec(path) ?? [];
  return pid === undefined ? null : [pid];
}

function linked(path: string): string | null {
  if (path === '/proc/self') return String(first_pid);
  const [, fd] = /^\/proc\/500\/fd\/(\d+)$/.exec(path) ?? [];
  if (fd !== undefined) return `/srv/data/of/a/customer/with/a/long/name/${fd}/file-${fd}.db`;
  return null;
}

/** Counters of a process after so many milliseconds: every pid has its own load. */
function processAt(pid: number, now_ms: number): FakeProcess {
  const share = ((pid * 7919) % 997) / 997;
  return {
    pid,
    comm: comm(pid),
    state: share > 0.99 ? 'R' : 'S',
    cpu: pid % 512,
    utime_ticks: Math.floor(share * (now_ms / 10)),
    run_ns: Math.floor(share * now_ms * 1e6),
    wait_ns: Math.floor(share * now_ms * 5e5),
    timeslices: Math.floor(now_ms * share),
    voluntary: Math.floor(now_ms * share),
    migrations: Math.floor((now_ms * share) / 10),
    num_threads: pid === crowded_pid ? threads : 1,
    rss_pages: 1000 + pid,
  };
}

function processFile(path: string, now_ms: number): string | null {
  if (!path.startsWith('/proc/')) return null;
  const [id, ...rest] = path.slice('/proc/'.length).split('/');
  const pid = Number(id);
  const known = pid === crowded_pid || (pid >= first_pid && pid < first_pid + processes);
  if (!known) return null;
  const [file = '', task = id] = rest[0] === 'task' ? [rest[2], rest[1]] : rest;
  const process = processAt(pid, now_ms);
  const thread = { ...process, tid: Number(task) };
  switch (file) {
    case 'stat':
      return statText(process, thread);
    case 'status':
      return statusText(process, thread);
    case 'schedstat':
      return schedstatText(thread);
    case 'sched':
      return schedText(process, thread);
    case 'cmdline':
      return `/usr/lib/a-program-of-some-length/bin/${comm(pid)}\0--with=argument-${pid}\0${'x'.repeat(200)}\0`;
    case 'cgroup':
      return `0::/system.slice/service-${pid % 3000}.service\n`;
    default:
      return null;
  }
}

const networkHeader =
  'Inter-|   Receive                |  Transmit\n face |bytes packets errs drop|bytes packets errs drop\n';

/** Files of the host whose counters grow. */
function hostFile(path: string, s: number): string | null {
  const n = Math.floor(s * 100);
  switch (path) {
    case '/proc/stat':
      return procStat(
        Object.fromEntries(
          numbers(512).map((cpu) => [
            cpu,
            `${((n * (cpu % 100)) / 100) | 0} 0 ${(n / 10) | 0} ${n} 0 0 0 0 0 0`,
          ]),
        ),
        `intr ${n} 1\nctxt ${n * 900}\nbtime 1700000000\nprocesses ${n * 3}\nprocs_running 700\nprocs_blocked 9\n`,
      );
    case '/proc/diskstats':
      return numbers(400)
        .map(
          (disk) =>
            `${disk} 0 nvme${disk}n1 ${n * 10} 5 ${n * 80} ${n * 20} ${n * 5} 5 ${n * 16} ${n * 9} 3 ${n * 2} ${n * 15} 0 0 0 0 0 0\n`,
        )
        .join('');
    case '/proc/net/dev':
      return (
        networkHeader +
        numbers(600)
          .map(
            (each) => `veth${each}a1b2c3: ${n * each} ${n * 6} ${n} 4 ${n * 20} ${n * 2} ${n} 0\n`,
          )
          .join('')
      );
    case '/proc/schedstat':
      return `version 17\ntimestamp ${n}\n${numbers(512)
        .map((cpu) => `cpu${cpu} 0 0 ${n} 0 ${n} ${n} ${n * 1e6} ${n * 1e5} ${n}\n`)
        .join('')}`;
    default:
      return null;
  }
}

const otherFiles = () => ({
  'proc/loadavg': '700.50 600.75 500.25 700/104000 999\n',
  'proc/meminfo':
    'MemTotal: 1600000000 kB\nMemFree: 1000 kB\nMemAvailable: 600000000 kB\nBuffers: 10 kB\nCached: 5000 kB\nSwapTotal: 4000 kB\nSwapFree: 4000 kB\n',
  'proc/vmstat': 'pgfault 2000\npgmajfault 20\npswpin 0\npswpout 0\n',
  'proc/uptime': '900000.00 1.00\n',
  'proc/sys/kernel/osrelease': '6.18.0-huge\n',
  'proc/mounts': 'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n',
  'proc/self/mountinfo': '30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
  ...Object.fromEntries(
    numbers(3000).flatMap((id) => {
      const folder = `sys/fs/cgroup/system.slice/service-${id}.service`;
      return [
        [
          `${folder}/cpu.stat`,
          `usage_usec ${id * 1000}\nnr_periods 10\nnr_throttled 2\nthrottled_usec 50\n`,
        ],
        [`${folder}/memory.current`, `${id * 4096}\n`],
        [`${folder}/cgroup.procs`, `${first_pid + id}\n`],
      ];
    }),
  ),
});
