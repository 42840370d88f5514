import { TracewrightError } from './errors.ts';
import type { Tool } from './tools/define-tool.ts';
import { tools } from './tools/index.ts';

/** Which tools a server offers; fixed when it starts, because clients cache the list. */
export type Selection = Readonly<{
  toolsets?: readonly string[] | undefined;
  tools?: readonly string[] | undefined;
  excludeTools?: readonly string[] | undefined;
  readOnly: boolean;
}>;

/** The tools of the selection. A name that does not exist is INVALID_PARAMS, not ignored. */
export function selectTools(selection: Selection): readonly Tool[] {
  const { toolsets, tools: wanted, excludeTools = [], readOnly } = selection;
  const names = tools.map((tool) => tool.name);
  mustExist('toolset', toolsets ?? [], [...new Set(tools.map((tool) => tool.toolset))]);
  mustExist('tool', [...(wanted ?? []), ...excludeTools], names);
  return tools.filter((tool) => {
    if (excludeTools.includes(tool.name)) return false;
    if (readOnly && tool.effect !== 'read') return false;
    if (wanted === undefined && toolsets === undefined) return true;
    return (wanted?.includes(tool.name) ?? false) || (toolsets?.includes(tool.toolset) ?? false);
  });
}

function mustExist(kind: string, given: readonly string[], known: readonly string[]): void {
  const unknown = given.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new TracewrightError(
    'INVALID_PARAMS',
    `There is no ${kind} "${unknown}".`,
    `Choose from: ${known.join(', ')}.`,
  );
}
