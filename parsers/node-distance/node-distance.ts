import { ParseError } from '../parsed.ts';

/**
 * Parses /sys/devices/system/node/nodeN/distance (drivers/base/node.c): the relative cost of memory
 * on each online node as seen from node N, from the firmware's SLIT. 10 is local memory; no unit.
 *
 *     10 21 31 21 41 51 51 61
 *     10
 *
 * The positions are those of the online nodes in ascending order, not node ids: with nodes 0 and 2
 * online the second number is that of node 2.
 */
export function parseNodeDistance(text: string): number[] {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const wrong = words.find((word) => !/^\d{1,3}$/.test(word));
  if (wrong !== undefined) throw new ParseError(`not a distance: ${JSON.stringify(wrong)}`);
  return words.map(Number);
}
