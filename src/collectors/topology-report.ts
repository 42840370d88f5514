import { formatCpuList } from '../../parsers/cpu-list/cpu-list.ts';
import type { Context } from '../context.ts';
import { type Page, page } from '../page.ts';
import type { Reading, Unavailable } from '../reading.ts';
import { cpu_root } from './cpu-files.ts';
import { offlineNode, readTopology, type Topology } from './topology.ts';
import { describeTopology } from './topology-words.ts';

export type Paging = Readonly<{ limit: number; offset: number }>;

const source = `${cpu_root}, /sys/devices/system/node`;

/** Ids and sizes of everything, CPU lists as text ("0-7"). Every list is paged alike. */
export function collectTopologyInfo(ctx: Context, paging: Paging): Reading<object> {
  const topology = readTopology(ctx.files);
  const { llcs, nodes, packages } = topology;
  const cpus = page(
    topology.cpus.map(({ id, core_id, llc_id, node_id }) => ({ id, core_id, llc_id, node_id })),
    paging,
    12_000,
  );
  const llcRows = page(
    llcs.map(({ id, level, size_bytes, cpus, node_id }) => ({
      id,
      level,
      size_bytes,
      cpus: formatCpuList(cpus),
      node_id,
    })),
    paging,
    10_000,
  );
  const nodeRows = page(
    nodes.map((node) => ({ ...node, cpus: formatCpuList(node.cpus) })),
    paging,
    8000,
  );
  return {
    data: {
      nr_cpus: topology.cpus.length,
      nr_cores: topology.cores.length,
      nr_llcs: llcs.length,
      nr_nodes: nodes.length,
      smt_active: topology.smt_active,
      packages: packages.map(({ id, cpus: list }) => ({ id, cpus: formatCpuList(list) })),
      offline: formatCpuList(topology.offline),
      nodes: nodeRows.rows,
      llcs: llcRows.rows,
      cpus: cpus.rows,
    },
    source,
    summary: describeTopology(topology),
    ...rest([cpus, llcRows, nodeRows], (offset) => {
      return `topology://info?limit=${paging.limit}&offset=${offset}`;
    }),
    warnings: topology.notes,
    unavailable: missingOnAll(topology),
  };
}

export type TopologyRequest = Paging &
  Readonly<{ detail_level: 'summary' | 'full'; include_offline: boolean }>;

/** Counts, and with `full` what each CPU, core, LLC and node is made of; frequencies in kHz. */
export function collectTopology(ctx: Context, request: TopologyRequest) {
  const topology = readTopology(ctx.files);
  const summary = counts(topology, request.include_offline);
  const described = { source, summary: describeTopology(topology), warnings: topology.notes };
  if (request.detail_level === 'summary') {
    return {
      data: { summary, hint: 'detail_level "full" lists every CPU, core, LLC and node.' },
      ...described,
      unavailable: missingOnAll(topology),
    };
  }
  const cpus = page(cpuRows(ctx, topology, request.include_offline), request, 17_000);
  const cores = page(
    topology.cores.map(({ id, cpus: span }) => ({ id, span })),
    request,
    4500,
  );
  const llcs = page(
    topology.llcs.map(({ cpus: span, ...llc }) => ({ ...llc, span })),
    request,
    6000,
  );
  const nodes = page(
    topology.nodes.map(({ id, cpus: span, distances: distance, memory_bytes }) => ({
      id,
      span,
      distance,
      memory_bytes,
    })),
    request,
    4500,
  );
  return {
    data: { summary, cpus: cpus.rows, cores: cores.rows, llcs: llcs.rows, nodes: nodes.rows },
    ...described,
    ...rest([cpus, cores, llcs, nodes], (offset) => {
      const { limit, include_offline } = request;
      return `get_topology ${JSON.stringify({ detail_level: 'full', include_offline, limit, offset })}`;
    }),
    unavailable: [...missingOnAll(topology), ...missingOnCpus(topology, request.include_offline)],
  };
}

function counts(topology: Topology, include_offline: boolean) {
  const { cpus, cores, llcs, nodes, packages, offline, smt_active } = topology;
  return {
    total_cpus: cpus.length + (include_offline ? offline.length : 0),
    nr_cpus: cpus.length,
    cores: cores.length,
    nr_cores: cores.length,
    llcs: llcs.length,
    nr_llcs: llcs.length,
    numa_nodes: nodes.length,
    nr_nodes: nodes.length,
    smt_enabled: smt_active,
    packages: packages.length,
    offline_cpus: offline.length,
    hybrid: isHybrid(topology),
  };
}

const isHybrid = ({ cpus }: Topology): boolean => cpus.some((cpu) => cpu.core_type !== null);

const khz = (hz: number | null): number | null => (hz === null ? null : hz / 1000);

type Row = Readonly<Record<string, unknown>> & Readonly<{ id: number }>;

function cpuRows(ctx: Context, topology: Topology, include_offline: boolean): readonly Row[] {
  const hybrid = isHybrid(topology);
  const rows = topology.cpus.map((cpu) => ({
    id: cpu.id,
    core_id: cpu.core_id,
    llc_id: cpu.llc_id,
    node_id: cpu.node_id,
    online: true,
    min_freq: khz(cpu.min_freq_hz),
    max_freq: khz(cpu.max_freq_hz),
    base_freq: khz(cpu.base_freq_hz),
    cpu_capacity: cpu.capacity,
    ...(hybrid ? { core_type: cpu.core_type } : {}),
  }));
  if (!include_offline) return rows;
  const offline = topology.offline.map((id) => ({
    id,
    core_id: null,
    llc_id: null,
    node_id: offlineNode(ctx.files, id),
    online: false,
    min_freq: null,
    max_freq: null,
    base_freq: null,
    cpu_capacity: null,
  }));
  return [...rows, ...offline].sort((a, b) => a.id - b.id);
}

/** Says that lists were cut, and where all of them go on. */
function rest(
  pages: readonly Page<unknown>[],
  call: (offset: number) => string,
): { truncated?: boolean; total?: number; next?: string } {
  const offsets = pages.map((each) => each.next_offset).filter((offset) => offset !== null);
  if (offsets.length === 0) return {};
  return { truncated: true, total: pages[0]?.total ?? 0, next: call(Math.min(...offsets)) };
}

const absent = (what: string, reason: string, fix: string | null = null): Unavailable => ({
  what,
  reason,
  fix,
});

function missingOnAll({ smt_active, llcs, nodes }: Topology): Unavailable[] {
  const missing: Unavailable[] = [];
  if (smt_active === null) {
    missing.push(absent('SMT state', `this kernel has no ${cpu_root}/smt/active`));
  }
  if (llcs.some((llc) => llc.size_bytes === null)) {
    missing.push(absent('size of last-level caches', 'the kernel tells no size of them'));
  }
  if (nodes.some((node) => node.memory_bytes === null)) {
    missing.push(
      absent('memory of nodes', 'the kernel shows no /sys/devices/system/node/node*/meminfo'),
    );
  }
  return missing;
}

function missingOnCpus(topology: Topology, include_offline: boolean): Unavailable[] {
  const { cpus, offline } = topology;
  const missing: Unavailable[] = [];
  if (cpus.every((cpu) => cpu.max_freq_hz === null)) {
    missing.push(
      absent(
        'cpus[].min_freq, max_freq, base_freq',
        `no cpufreq driver is active (${cpu_root}/cpufreq has no policy), as is usual in virtual machines`,
      ),
    );
  } else if (cpus.some((cpu) => cpu.base_freq_hz === null)) {
    missing.push(
      absent('cpus[].base_freq', 'the cpufreq driver has no base_frequency file; intel_pstate has'),
    );
  }
  if (cpus.some((cpu) => cpu.capacity === null)) {
    missing.push(absent('cpus[].cpu_capacity', 'no file of the kernel ranks the CPUs'));
  }
  const [first] = offline;
  if (include_offline && first !== undefined) {
    missing.push(
      absent(
        `core, LLC and frequencies of offline CPUs ${formatCpuList(offline)}`,
        'the kernel removes the topology of a CPU when it goes offline',
        `echo 1 > ${cpu_root}/cpu${first}/online`,
      ),
    );
  }
  return missing;
}
