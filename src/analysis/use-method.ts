import type { UseAspect, UseFacts, UseResource, UseSignal } from './use-facts.ts';
import { cpuSignals, diskSignals, memorySignals, networkSignals } from './use-signals.ts';
import type { UseStatus } from './use-thresholds.ts';

type Verdict = Readonly<{
  status: UseStatus | null;
  detail: string;
  /** Which figure decided it: several may stand behind one status, each with its own thresholds. */
  metric: string | null;
  unit: string | null;
  measures: Readonly<Record<string, number | null>>;
}>;

export type UseResourceReport = Readonly<{
  utilization: Verdict & Readonly<{ value: number | null }>;
  saturation: Verdict & Readonly<{ value: number | null }>;
  errors: Verdict & Readonly<{ count: number | null }>;
}>;

export type UseReport = Readonly<{
  summary: Readonly<{
    /** Null where nothing is beyond its threshold and something could not be judged. */
    status: 'healthy' | 'warning' | 'critical' | null;
    top_suspicions: readonly string[];
  }>;
  resources: Readonly<Record<UseResource, UseResourceReport>>;
  /** Every figure beyond a threshold, the worst first. */
  suspicions: readonly UseSignal[];
}>;

/** Every figure of the USE method (utilization, saturation, errors) with its verdict. */
export function useSignals(facts: UseFacts): readonly UseSignal[] {
  return [
    ...cpuSignals(facts.cpu),
    ...memorySignals(facts.memory),
    ...diskSignals(facts.disk),
    ...networkSignals(facts.network),
  ];
}

export type Unjudged = Readonly<{ resource: UseResource; what: string }>;

/**
 * What a host has to show before it can be called healthy, and did not. Figures that many hosts do
 * not have (PSI, machine checks, the speed of a link) are not among them.
 */
export function unjudged({ cpu, memory, disk, network }: UseFacts): readonly Unjudged[] {
  const disks = disk.devices?.map(({ busy_pct }) => busy_pct) ?? null;
  const links = network.links?.map((link) => link.drops_per_s ?? link.errors_per_s) ?? null;
  const all = [
    { resource: 'cpu', what: 'CPU use', known: cpu.busy_pct !== null },
    { resource: 'memory', what: 'memory', known: memory.used_pct !== null },
    { resource: 'disk', what: 'disks', known: anyKnown(disks) },
    { resource: 'network', what: 'interfaces', known: anyKnown(links) },
    { resource: 'network', what: 'TCP', known: network.retransmits !== null },
  ] as const;
  return all.filter(({ known }) => !known).map(({ resource, what }) => ({ resource, what }));
}

/** A host may have none of them. */
const anyKnown = (values: readonly (number | null)[] | null): boolean =>
  values !== null && (values.length === 0 || values.some((value) => value !== null));

/** The documented report. A resource of which nothing is known has status null, not ok. */
export function useReport(signals: readonly UseSignal[], gaps: readonly Unjudged[]): UseReport {
  const suspicions = signals
    .filter(({ status }) => status !== null && status !== 'ok')
    .sort((a, b) => rank(b) - rank(a) || excess(b) - excess(a));
  return {
    summary: {
      status: overall(signals, suspicions[0], gaps),
      top_suspicions: suspicions.slice(0, 5).map(inWords),
    },
    resources: {
      cpu: resourceReport(signals, 'cpu'),
      memory: resourceReport(signals, 'memory'),
      disk: resourceReport(signals, 'disk'),
      network: resourceReport(signals, 'network'),
    },
    suspicions,
  };
}

const ranks: Readonly<Record<UseStatus, number>> = { ok: 0, warning: 1, critical: 2 };
const rank = ({ status }: UseSignal): number => (status === null ? -1 : ranks[status]);

/** How far beyond its threshold, as a factor, so that percents and counts can stand in one order. */
const excess = ({ value, thresholds: { warning } }: UseSignal): number =>
  value === null || !warning ? 1 : value / warning;

function overall(
  signals: readonly UseSignal[],
  worst: UseSignal | undefined,
  gaps: readonly Unjudged[],
): UseReport['summary']['status'] {
  if (worst?.status === 'warning' || worst?.status === 'critical') return worst.status;
  if (gaps.length > 0) return null;
  return signals.some(({ status }) => status !== null) ? 'healthy' : null;
}

const inWords = ({ resource, aspect, status, detail }: UseSignal): string =>
  `${resource} ${aspect} ${status}: ${detail}`;

function resourceReport(all: readonly UseSignal[], resource: UseResource): UseResourceReport {
  const of = (aspect: UseAspect): readonly UseSignal[] =>
    all
      .filter((each) => each.resource === resource && each.aspect === aspect)
      .sort((a, b) => rank(b) - rank(a));
  const errors = of('errors');
  return {
    utilization: figure(of('utilization')),
    saturation: figure(of('saturation')),
    errors: { count: countOf(errors), ...verdict(errors) },
  };
}

const figure = (signals: readonly UseSignal[]) => ({
  value: signals[0]?.value ?? null,
  ...verdict(signals),
});

/** Of the worst of them, which comes first. */
function verdict(signals: readonly UseSignal[]): Verdict {
  const [main] = signals;
  const suspicious = signals.filter(({ status }) => status !== null && status !== 'ok');
  const said = suspicious.length > 0 ? suspicious : signals.slice(0, 1);
  const known = main?.status != null;
  return {
    status: main?.status ?? null,
    detail: said.map(({ detail }) => detail).join('; '),
    metric: known ? main.metric : null,
    unit: known ? main.unit : null,
    measures: Object.fromEntries(signals.map(({ metric, value }) => [metric, value])),
  };
}

/** All errors that were counted; null where none could be. */
function countOf(signals: readonly UseSignal[]): number | null {
  const counts = signals.map(({ count }) => count ?? null).filter((count) => count !== null);
  return counts.length === 0 ? null : counts.reduce((sum, count) => sum + count, 0);
}
