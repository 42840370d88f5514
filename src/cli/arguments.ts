import { TracewrightError } from '../errors.ts';

/**
 * `key=value` words as arguments. A value becomes a number, true/false or a list, which commas
 * divide, where the schema of the tool says so; all else stays text, so that the tool itself judges it.
 */
export function keyValues(
  words: readonly string[],
  schema: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const args: Record<string, unknown> = {};
  for (const word of words) {
    const at = word.indexOf('=');
    if (at < 1) {
      throw new TracewrightError(
        'INVALID_PARAMS',
        `"${word}" is not of the form key=value.`,
        'Example: tracewright call get_topology detail_level=full',
      );
    }
    const name = word.slice(0, at);
    args[name] = typed(word.slice(at + 1), schema[name]);
  }
  return args;
}

function typed(value: string, property: unknown): unknown {
  const type =
    typeof property === 'object' && property !== null && 'type' in property ? property.type : null;
  if (type === 'integer' || type === 'number') {
    return /^-?\d+(?:\.\d+)?(?:e\d{1,3})?$/i.test(value) ? Number(value) : value;
  }
  if (type === 'array') return value.split(',');
  if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}
