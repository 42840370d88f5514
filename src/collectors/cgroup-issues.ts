import type { CgroupSummary } from './cgroup-summary.ts';

const often_throttled_pct = 5;
const memory_limit_pct = { high: 80, near: 90 };
const pids_limit_pct = 90;
const pressure_pct = { some: 25, full: 10 };

type Figures = Omit<CgroupSummary, 'issues' | 'busiest'>;

/** What stands out, each with its figure. */
export function cgroupIssues({ cpu, memory, io, pids }: Figures): readonly string[] {
  return [
    ...cpuIssues(cpu),
    ...memoryIssues(memory),
    ...pressureIssues('CPU', cpu.pressure),
    ...pressureIssues('memory', memory.pressure),
    ...pressureIssues('I/O', io.pressure),
    ...pidIssues(pids),
  ];
}

function cpuIssues({ window, nr_throttled, throttled_usec, usage_usec, ...rest }: Figures['cpu']) {
  const { throttled_pct, throttled_ms, periods, limiter_throttled_pct } = window;
  const cores = rest.effective_limit_cores;
  if (throttled_pct !== null && throttled_pct > often_throttled_pct) {
    return [
      `Throttled in ${throttled_pct} % of ${periods} periods of the window (${throttled_ms} ms ` +
        `lost): it wants more than its limit of ${cores ?? 'unknown'} CPUs.`,
    ];
  }
  if (limiter_throttled_pct !== null && limiter_throttled_pct > often_throttled_pct) {
    return [
      `The group around it that may use ${cores} CPUs (${rest.limited_by}) is throttled in ` +
        `${limiter_throttled_pct} % of its periods.`,
    ];
  }
  const before = throttled_usec !== null && usage_usec ? throttled_usec / usage_usec : 0;
  return before > often_throttled_pct / 100
    ? [
        `Throttled ${nr_throttled} times since it was made (${Math.round(before * 100)} % of its ` +
          'CPU time on top), not often in this window.',
      ]
    : [];
}

function memoryIssues({ usage_percent, oom_kills, window, ...memory }: Figures['memory']) {
  const of = memory.effective_max_bytes;
  const { high, near } = memory_limit_pct;
  const level =
    usage_percent === null || usage_percent <= high
      ? []
      : [
          `Memory at ${usage_percent} % of its limit of ${of} bytes` +
            `${usage_percent > near ? ': the next allocation may stall or kill' : ''}; ` +
            `${memory.file_bytes ?? 'unknown'} bytes of it are file cache.`,
        ];
  return [
    ...level,
    ...(window.oom_kills
      ? [`${window.oom_kills} processes killed for want of memory in this window.`]
      : oom_kills
        ? [`${oom_kills} processes killed for want of memory since the group was made.`]
        : []),
    ...(window.limit_hits
      ? [`It met its memory limit ${window.limit_hits} times in this window.`]
      : []),
  ];
}

type Pressure = Readonly<{ some_window?: number | null; full_window?: number | null }> | null;

function pressureIssues(what: string, pressure: Pressure): string[] {
  const { some_window = null, full_window = null } = pressure ?? {};
  if (full_window !== null && full_window > pressure_pct.full) {
    return [`All its tasks waited for ${what} ${full_window} % of the window.`];
  }
  return some_window !== null && some_window > pressure_pct.some
    ? [`Some task waited for ${what} ${some_window} % of the window.`]
    : [];
}

function pidIssues({ current, max }: Figures['pids']): string[] {
  if (current === null || max === null || max <= 0) return [];
  const used_pct = (current * 100) / max;
  return used_pct > pids_limit_pct ? [`${current} of at most ${max} tasks.`] : [];
}
