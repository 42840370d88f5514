import { type HostFilesNow, procStat } from './fake-host.ts';

const netHeader =
  'Inter-|   Receive                |  Transmit\n' +
  ' face |bytes packets errs drop|bytes packets errs drop\n';

/** The rest of a line of /proc/diskstats: reads, writes, waits and busy time grow with `n`. */
const diskColumns = (n: number): string =>
  `${n * 100} 5 ${n * 800} ${n * 200} ${n * 50} 5 ${n * 1600} ${n * 900} 3 ${n * 250} ${n * 1500} 0 0 0 0 ${n * 4} ${n * 8}`;

/** What a healthy host of two CPUs has at the n-th second of its counters. */
export function hostAt(n: number, changes: HostFilesNow = {}): HostFilesNow {
  return {
    'proc/stat': procStat(
      {
        0: `${n * 20} 0 ${n * 10} ${n * 70} 0 0 0 0 0 0`,
        1: `${n * 5} 0 ${n * 5} ${n * 80} ${n * 5} 0 ${n * 5} 0 0 0`,
      },
      `intr ${n * 600} 1\nctxt ${n * 5000}\nbtime 1700000000\nprocesses ${n * 30}\nprocs_running 3\nprocs_blocked 1\n`,
    ),
    'proc/loadavg': '1.50 0.75 0.25 3/400 999\n',
    'proc/meminfo':
      'MemTotal: 8000 kB\nMemFree: 1000 kB\nMemAvailable: 6000 kB\nBuffers: 10 kB\nCached: 5000 kB\nSwapTotal: 4000 kB\nSwapFree: 4000 kB\nHardwareCorrupted: 0 kB\n',
    'proc/vmstat': `pgfault ${n * 2000}\npgmajfault ${n * 20}\npswpin 0\npswpout 0\npgscan_direct ${n * 7}\noom_kill 4\n`,
    'proc/diskstats': `   8       0 sda ${diskColumns(n)}\n   8       1 sda1 ${diskColumns(n)}\n   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0\n 253       0 dm-0 ${diskColumns(n)}\n`,
    'proc/net/dev': `${netHeader}    lo: 10 1 0 0 10 1 0 0\n  eth0: ${n * 6000} ${n * 60} 1 4 ${n * 2000} ${n * 20} 0 0\nbr-5f.100: ${n} ${n} 0 0 0 0 0 0\n`,
    'proc/net/snmp': `Tcp: ActiveOpens PassiveOpens EstabResets CurrEstab InSegs OutSegs RetransSegs OutRsts\nTcp: ${n * 2} ${n * 3} 0 12 ${n * 900} ${n * 1000} ${n * 4} ${n * 6}\nUdp: InDatagrams NoPorts RcvbufErrors\nUdp: ${n} 0 0\n`,
    'proc/net/netstat': `TcpExt: ListenOverflows ListenDrops TCPTimeouts\nTcpExt: 7 9 ${n}\n`,
    'proc/pressure/cpu': `some avg10=1.00 avg60=2.00 avg300=3.00 total=${n * 50_000}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n`,
    'proc/pressure/memory':
      'some avg10=0.00 avg60=0.00 avg300=0.00 total=5\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=5\n',
    'proc/pressure/io': `some avg10=9.00 avg60=0.00 avg300=0.00 total=${n * 20_000}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=${n * 10_000}\n`,
    'sys/class/block/sda1/partition': '1\n',
    'sys/class/block/sda/size': '1000\n',
    'sys/class/block/dm-0/dm/name': 'vg-root\n',
    ...changes,
  };
}

/** The first second of a window, and what the host has at its end. */
export const overOneSecond = (
  changesBefore: HostFilesNow = {},
  changesAfter: HostFilesNow = changesBefore,
): readonly [HostFilesNow, HostFilesNow] => [hostAt(1, changesBefore), hostAt(2, changesAfter)];
