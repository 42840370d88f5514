import { thereIsNo } from './did-you-mean.ts';
import { TracewrightError } from './errors.ts';
import { isOfflineTool, offlineRefusal } from './offline.ts';
import type { Policies } from './policy/policy.ts';
import { toolRefusal } from './policy/refusals.ts';
import type { Tool } from './tools/define-tool.ts';
import { tools } from './tools/index.ts';

/** Which tools a server offers; fixed when it starts, because clients cache the list. */
export type Selection = Readonly<{
  toolsets?: readonly string[] | undefined;
  tools?: readonly string[] | undefined;
  excludeTools?: readonly string[] | undefined;
  /** Those of `slimTools`, beside what `toolsets` and `tools` name. */
  slim?: boolean | undefined;
  readOnly: boolean;
  /** Only tools that look at files and kept captures. */
  offline?: boolean | undefined;
  policies?: Policies | undefined;
}>;

/**
 * The dozen of --slim. Each answers a question that people ask first and that none of the others
 * answers; read_resource reaches every resource, and by profiling://captures the views of a profile.
 */
const slimTools: readonly string[] = [
  'perf_triage',
  'perf_use_check',
  'perf_snapshot',
  'query_stats',
  'read_resource',
  'perf_cpu_profile',
  'perf_offcpu_profile',
  'perf_thread_profile',
  'perf_runq_latency',
  'perf_io_latency',
  'perf_net_health',
  'perf_cgroup_summary',
];

/** The tools of the selection. A name that does not exist is INVALID_PARAMS, not ignored. */
export function selectTools(selection: Selection): readonly Tool[] {
  const { toolsets, tools: wanted, excludeTools = [], slim = false, readOnly } = selection;
  const names = tools.map((tool) => tool.name);
  mustExist('toolset', toolsets ?? [], [...new Set(tools.map((tool) => tool.toolset))]);
  mustExist('tool', [...(wanted ?? []), ...excludeTools], names);
  return tools.filter((tool) => {
    if (excludeTools.includes(tool.name)) return false;
    if (refusalOf(selection, tool) !== null) return false;
    if (readOnly && tool.effect !== 'read') return false;
    if (!slim && wanted === undefined && toolsets === undefined) return true;
    const named = [...(slim ? slimTools : []), ...(wanted ?? [])];
    return named.includes(tool.name) || (toolsets?.includes(tool.toolset) ?? false);
  });
}

/** Why a tool of this name is not among them, where an administrator or the mode wants that; else null. */
export function refusedTool(selection: Selection, name: string): TracewrightError | null {
  const tool = tools.find((each) => each.name === name);
  return tool ? refusalOf(selection, tool) : null;
}

function refusalOf({ policies = [], offline }: Selection, tool: Tool): TracewrightError | null {
  if (offline && !isOfflineTool(tool.name)) return offlineRefusal(tool.name);
  return toolRefusal(policies, tool);
}

function mustExist(kind: string, given: readonly string[], known: readonly string[]): void {
  const unknown = given.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new TracewrightError(
    'INVALID_PARAMS',
    thereIsNo(kind, unknown, known),
    `Choose from: ${known.join(', ')}.`,
  );
}
