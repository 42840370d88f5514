import { parseAvailableEvents } from '../../parsers/available-events/available-events.ts';
import { parseBpfFdInfo } from '../../parsers/bpf-fdinfo/bpf-fdinfo.ts';
import { parseBpftoolFeature } from '../../parsers/bpftool-feature/bpftool-feature.ts';
import { parseBpftoolLink } from '../../parsers/bpftool-link/bpftool-link.ts';
import { parseBpftoolMap } from '../../parsers/bpftool-map/bpftool-map.ts';
import { parseBpftoolPerf } from '../../parsers/bpftool-perf/bpftool-perf.ts';
import { parseBpftoolProg } from '../../parsers/bpftool-prog/bpftool-prog.ts';
import { parseBpftoolStructOps } from '../../parsers/bpftool-struct-ops/bpftool-struct-ops.ts';
import { parseBpftoolStructOpsDump } from '../../parsers/bpftool-struct-ops-dump/bpftool-struct-ops-dump.ts';
import { parseCmdline } from '../../parsers/cmdline/cmdline.ts';
import { parseCpuList } from '../../parsers/cpu-list/cpu-list.ts';
import { parseDsq } from '../../parsers/dsq/dsq.ts';
import { parseFilterFunctions } from '../../parsers/filter-functions/filter-functions.ts';
import { parseInterrupts } from '../../parsers/interrupts/interrupts.ts';
import { parseKallsymsFunctions } from '../../parsers/kallsyms/kallsyms.ts';
import { parseKprobeBlacklist } from '../../parsers/kprobe-blacklist/kprobe-blacklist.ts';
import { parseLoadAverage } from '../../parsers/loadavg/loadavg.ts';
import { parseMemInfo } from '../../parsers/meminfo/meminfo.ts';
import { parseNetDev } from '../../parsers/net-dev/net-dev.ts';
import { parseNetSnmp } from '../../parsers/net-snmp/net-snmp.ts';
import { parseNodeDistance } from '../../parsers/node-distance/node-distance.ts';
import { parseNumaStat } from '../../parsers/numastat/numastat.ts';
import { parsePerfList } from '../../parsers/perf-list/perf-list.ts';
import { parsePerfScript } from '../../parsers/perf-script/perf-script.ts';
import { parsePerfStat } from '../../parsers/perf-stat/perf-stat.ts';
import { parsePidCgroup } from '../../parsers/pid-cgroup/pid-cgroup.ts';
import { parsePidSched } from '../../parsers/pid-sched/pid-sched.ts';
import { parsePidSchedstat } from '../../parsers/pid-schedstat/pid-schedstat.ts';
import { parsePidStat } from '../../parsers/pid-stat/pid-stat.ts';
import { parsePidStatus } from '../../parsers/pid-status/pid-status.ts';
import { parsePressure } from '../../parsers/pressure/pressure.ts';
import { parseProcStat } from '../../parsers/proc-stat/proc-stat.ts';
import { parseSchedStat } from '../../parsers/schedstat/schedstat.ts';
import { parseScxEvents } from '../../parsers/scx-events/scx-events.ts';
import { parseScxLog } from '../../parsers/scx-log/scx-log.ts';
import { parseScxOps } from '../../parsers/scx-ops/scx-ops.ts';
import { parseScxStats } from '../../parsers/scx-stats/scx-stats.ts';
import { parseStatsMeta } from '../../parsers/scx-stats/stats-meta.ts';
import { parseSoftIrqs } from '../../parsers/softirqs/softirqs.ts';
import { parseVmstat } from '../../parsers/vmstat/vmstat.ts';
/** Parser of each folder under fixtures/: a recorded case there is a test without further code. */
export const parsers: Readonly<Record<string, (text: string) => unknown>> = {
  'scx-log': parseScxLog,
  dsq: parseDsq,
  'available-events': parseAvailableEvents,
  'bpf-fdinfo': parseBpfFdInfo,
  'bpftool-feature': parseBpftoolFeature,
  'bpftool-link': parseBpftoolLink,
  'bpftool-map': parseBpftoolMap,
  'bpftool-perf': parseBpftoolPerf,
  'bpftool-prog': parseBpftoolProg,
  'bpftool-struct-ops': parseBpftoolStructOps,
  'bpftool-struct-ops-dump': parseBpftoolStructOpsDump,
  cmdline: parseCmdline,
  'cpu-list': parseCpuList,
  'filter-functions': parseFilterFunctions,
  interrupts: parseInterrupts,
  kallsyms: parseKallsymsFunctions,
  'kprobe-blacklist': parseKprobeBlacklist,
  loadavg: parseLoadAverage,
  meminfo: parseMemInfo,
  'net-dev': parseNetDev,
  'net-snmp': parseNetSnmp,
  'node-distance': parseNodeDistance,
  numastat: parseNumaStat,
  'perf-list': parsePerfList,
  'perf-script': parsePerfScript,
  'perf-stat': parsePerfStat,
  'pid-cgroup': parsePidCgroup,
  'pid-sched': parsePidSched,
  'pid-schedstat': parsePidSchedstat,
  'pid-stat': parsePidStat,
  'pid-status': parsePidStatus,
  pressure: parsePressure,
  'proc-stat': parseProcStat,
  schedstat: parseSchedStat,
  'scx-events': parseScxEvents,
  'scx-ops': parseScxOps,
  'scx-stats': parseScxStats,
  'scx-stats-meta': (text) => {
    const answer = parseScxStats(text);
    return answer.ok ? parseStatsMeta(answer.resp) : answer;
  },
  softirqs: parseSoftIrqs,
  vmstat: parseVmstat,
};
