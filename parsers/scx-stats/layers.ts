import { isObject, type Json, type JsonObject } from './exact-json.ts';

/** A layer of scx_layered: tasks that match its rules, with the CPUs they may use. */
export type Layer = Readonly<{
  name: string;
  /** Place in the configuration: rules of a lower one are tried first. */
  index: number | null;
  tasks: number | null;
  /** CPU time in the window; 100 is one full CPU, so that it may be more. */
  util_pct: number | null;
  /** Share of the CPU time of all layers. */
  util_frac_pct: number | null;
  /** CPUs assigned to it now. */
  nr_cpus: number | null;
}>;

/**
 * The layers in what scx_layered answers to `stats` (1.1.4: SysStats.layers, each a LayerStats), the
 * busiest first; null where an answer has none. Tasks are counted, and not named.
 *
 *     {"busy":8.01,"layers":{"batch":{"index":0,"tasks":12,"util":150.25,"util_frac":97.5,"cur_nr_cpus":2}}}
 *
 * A number that is missing, or that Rust could not write (NaN arrives as null), is null.
 */
export function parseLayers(stats: Json): readonly Layer[] | null {
  const layers = isObject(stats) ? stats['layers'] : undefined;
  if (!isObject(layers)) return null;
  const rows = Object.entries(layers).flatMap(([name, layer]) =>
    isObject(layer) && ('util' in layer || 'tasks' in layer) ? [layerOf(name, layer)] : [],
  );
  return rows.length === 0 ? null : rows.sort(byUse);
}

const layerOf = (name: string, layer: JsonObject): Layer => ({
  name,
  index: numberOf(layer['index']),
  tasks: numberOf(layer['tasks']),
  util_pct: rounded(layer['util']),
  util_frac_pct: rounded(layer['util_frac']),
  nr_cpus: numberOf(layer['cur_nr_cpus']),
});

const numberOf = (value: Json | undefined): number | null =>
  typeof value === 'number' ? value : null;

function rounded(value: Json | undefined): number | null {
  const number = numberOf(value);
  return number === null ? null : Math.round(number * 100) / 100;
}

const byUse = (a: Layer, b: Layer): number =>
  (b.util_pct ?? -1) - (a.util_pct ?? -1) || (a.index ?? 0) - (b.index ?? 0);
