import { parseAustin } from '../../parsers/austin/austin.ts';
import { parseAvailableEvents } from '../../parsers/available-events/available-events.ts';
import { parseBiolatency } from '../../parsers/biolatency/biolatency.ts';
import { parseBlkio } from '../../parsers/blkio/blkio.ts';
import { parseBpfFdInfo } from '../../parsers/bpf-fdinfo/bpf-fdinfo.ts';
import { parseBpftoolFeature } from '../../parsers/bpftool-feature/bpftool-feature.ts';
import { parseBpftoolLink } from '../../parsers/bpftool-link/bpftool-link.ts';
import { parseBpftoolMap } from '../../parsers/bpftool-map/bpftool-map.ts';
import { parseBpftoolPerf } from '../../parsers/bpftool-perf/bpftool-perf.ts';
import { parseBpftoolProg } from '../../parsers/bpftool-prog/bpftool-prog.ts';
import { parseBpftoolStructOps } from '../../parsers/bpftool-struct-ops/bpftool-struct-ops.ts';
import { parseBpftoolStructOpsDump } from '../../parsers/bpftool-struct-ops-dump/bpftool-struct-ops-dump.ts';
import { parseCpuMax } from '../../parsers/cgroup-cpu-max/cgroup-cpu-max.ts';
import { parseCgroupFlat } from '../../parsers/cgroup-flat/cgroup-flat.ts';
import { parseCgroupIo } from '../../parsers/cgroup-io/cgroup-io.ts';
import { parseCmdline } from '../../parsers/cmdline/cmdline.ts';
import { parseCollectionFile } from '../../parsers/collection/collection.ts';
import { parseCpuList } from '../../parsers/cpu-list/cpu-list.ts';
import { parseCpuModel } from '../../parsers/cpuinfo/cpuinfo.ts';
import { parseDiskStats } from '../../parsers/diskstats/diskstats.ts';
import { parseDsq } from '../../parsers/dsq/dsq.ts';
import { parseExecEvents } from '../../parsers/exec-events/exec-events.ts';
import { parseExecsnoopTable } from '../../parsers/execsnoop-table/execsnoop-table.ts';
import { fdType, socketInode } from '../../parsers/fd-target/fd-target.ts';
import { parseFileopen } from '../../parsers/fileopen/fileopen.ts';
import { parseFileslow } from '../../parsers/fileslow/fileslow.ts';
import { parseFilterFunctions } from '../../parsers/filter-functions/filter-functions.ts';
import { parseFolded } from '../../parsers/folded/folded.ts';
import { parseFunctionTraceFile } from '../../parsers/function-trace/function-trace.ts';
import {
  parseGethostlatency,
  parseGethostlatencyTable,
} from '../../parsers/gethostlatency/gethostlatency.ts';
import { parseInterrupts } from '../../parsers/interrupts/interrupts.ts';
import { parseIolayers } from '../../parsers/iolayers/iolayers.ts';
import { parseKallsymsFunctions } from '../../parsers/kallsyms/kallsyms.ts';
import { parseKprobeBlacklist } from '../../parsers/kprobe-blacklist/kprobe-blacklist.ts';
import { parseLoadAverage } from '../../parsers/loadavg/loadavg.ts';
import { parseLog2Hist } from '../../parsers/log2-hist/log2-hist.ts';
import { parseMemInfo } from '../../parsers/meminfo/meminfo.ts';
import { parseMountInfo } from '../../parsers/mountinfo/mountinfo.ts';
import { parseNetDev } from '../../parsers/net-dev/net-dev.ts';
import { parseNetSnmp } from '../../parsers/net-snmp/net-snmp.ts';
import { parseNetTcp } from '../../parsers/net-tcp/net-tcp.ts';
import { parseNodeDistance } from '../../parsers/node-distance/node-distance.ts';
import { parseNumaStat } from '../../parsers/numastat/numastat.ts';
import { parseOffcpu } from '../../parsers/offcpu/offcpu.ts';
import { parseOffcputime } from '../../parsers/offcputime/offcputime.ts';
import { parseOffcputimeFolded } from '../../parsers/offcputime-folded/offcputime-folded.ts';
import { parseOncpu } from '../../parsers/oncpu/oncpu.ts';
import { parsePerfEvents } from '../../parsers/perf-events/perf-events.ts';
import { parsePerfList } from '../../parsers/perf-list/perf-list.ts';
import { parsePerfScript } from '../../parsers/perf-script/samples.ts';
import { parsePerfStat } from '../../parsers/perf-stat/perf-stat.ts';
import { parsePerfTrace } from '../../parsers/perf-trace/perf-trace.ts';
import { parsePidCgroup } from '../../parsers/pid-cgroup/pid-cgroup.ts';
import { parsePidLimits } from '../../parsers/pid-limits/pid-limits.ts';
import { parsePidSched } from '../../parsers/pid-sched/pid-sched.ts';
import { parsePidSchedstat } from '../../parsers/pid-schedstat/pid-schedstat.ts';
import { parsePidStat } from '../../parsers/pid-stat/pid-stat.ts';
import { parsePidStatus } from '../../parsers/pid-status/pid-status.ts';
import { parsePressure } from '../../parsers/pressure/pressure.ts';
import { parseProcStat } from '../../parsers/proc-stat/proc-stat.ts';
import { parsePySpy } from '../../parsers/py-spy/py-spy.ts';
import { parseRunqlat } from '../../parsers/runqlat/runqlat.ts';
import { parseScalene } from '../../parsers/scalene/scalene.ts';
import { parseSchedAggregates } from '../../parsers/sched-aggregates/sched-aggregates.ts';
import { parseSchedProcesses } from '../../parsers/sched-processes/sched-processes.ts';
import { parseSchedStat } from '../../parsers/schedstat/schedstat.ts';
import { parseScxEvents } from '../../parsers/scx-events/scx-events.ts';
import { parseScxLog } from '../../parsers/scx-log/scx-log.ts';
import { parseScxOps } from '../../parsers/scx-ops/scx-ops.ts';
import { parseScxStats } from '../../parsers/scx-stats/scx-stats.ts';
import { parseStatsMeta } from '../../parsers/scx-stats/stats-meta.ts';
import { parseSockStat } from '../../parsers/sockstat/sockstat.ts';
import { parseSoftIrqs } from '../../parsers/softirqs/softirqs.ts';
import { parseSoftnetStat } from '../../parsers/softnet-stat/softnet-stat.ts';
import { parseStream } from '../../parsers/stream/stream.ts';
import { parseSyscount } from '../../parsers/syscount/syscount.ts';
import { parseSyscountTable } from '../../parsers/syscount-table/syscount-table.ts';
import { parseTaskExt } from '../../parsers/task-ext/task-ext.ts';
import { parseTcplife } from '../../parsers/tcplife/tcplife.ts';
import { parseTracemalloc } from '../../parsers/tracemalloc/tracemalloc.ts';
import { parseVmstat } from '../../parsers/vmstat/vmstat.ts';
import { parseWprof } from '../../parsers/wprof/wprof.ts';
/** Parser of each folder under fixtures/: a recorded case there is a test without further code. */
export const parsers: Readonly<Record<string, (text: string) => unknown>> = {
  'scx-log': parseScxLog,
  dsq: parseDsq,
  'available-events': parseAvailableEvents,
  biolatency: parseBiolatency,
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
  collection: parseCollectionFile,
  fileopen: parseFileopen,
  fileslow: parseFileslow,
  gethostlatency: parseGethostlatency,
  'gethostlatency-table': parseGethostlatencyTable,
  iolayers: parseIolayers,
  'filter-functions': parseFilterFunctions,
  folded: parseFolded,
  'function-trace': parseFunctionTraceFile,
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
  scalene: parseScalene,
  'sched-aggregates': parseSchedAggregates,
  'sched-processes': parseSchedProcesses,
  schedstat: parseSchedStat,
  'scx-events': parseScxEvents,
  'scx-ops': parseScxOps,
  'scx-stats': parseScxStats,
  'scx-stats-meta': (text) => {
    const answer = parseScxStats(text);
    return answer.ok ? parseStatsMeta(answer.resp) : answer;
  },
  softirqs: parseSoftIrqs,
  stream: parseStream,
  'task-ext': (text) => Object.fromEntries(parseTaskExt(text)),
  blkio: parseBlkio,
  'cgroup-cpu-max': parseCpuMax,
  'cgroup-flat': parseCgroupFlat,
  'cgroup-io': parseCgroupIo,
  cpuinfo: parseCpuModel,
  diskstats: parseDiskStats,
  'fd-target': (text) =>
    text
      .split('\n')
      .map((target) => ({ target, type: fdType(target), inode: socketInode(target) })),
  mountinfo: parseMountInfo,
  'net-tcp': parseNetTcp,
  'pid-limits': parsePidLimits,
  sockstat: parseSockStat,
  'softnet-stat': parseSoftnetStat,
  tcplife: parseTcplife,
  vmstat: parseVmstat,
  wprof: (text) => {
    const { stacks, ...trace } = parseWprof(text);
    return { ...trace, stacks: Object.fromEntries(stacks) };
  },
  'exec-events': parseExecEvents,
  'execsnoop-table': parseExecsnoopTable,
  'log2-hist': parseLog2Hist,
  offcputime: parseOffcputime,
  austin: parseAustin,
  'py-spy': parsePySpy,
  tracemalloc: parseTracemalloc,
  'offcputime-folded': parseOffcputimeFolded,
  oncpu: (text) => {
    const { names, ...output } = parseOncpu(text);
    return { ...output, names: Object.fromEntries(names) };
  },
  'perf-events': parsePerfEvents,
  'perf-trace': parsePerfTrace,
  runqlat: parseRunqlat,
  syscount: parseSyscount,
  'syscount-table': parseSyscountTable,
  offcpu: (text) => {
    const { names, back_ns, ...output } = parseOffcpu(text);
    return {
      ...output,
      back_ns: Object.fromEntries(back_ns),
      names: Object.fromEntries(names),
    };
  },
};
