import { parseBigJson } from '../big-json.ts';
import { isRow } from '../bpftool-rows.ts';

export type BpfFeatures = Readonly<{
  /** Whether the kernel loads programs of type tracing, which fentry and tp_btf need. */
  tracing: boolean | null;
  /** CONFIG_KPROBE_EVENTS, where bpftool found the configuration of the kernel. */
  kprobe_events: boolean | null;
}>;

/**
 * `bpftool -j feature probe kernel` (tools/bpf/bpftool/feature.c), which loads a small program of
 * each type to see whether the kernel takes it:
 *
 *     {"system_config":{…"CONFIG_KPROBE_EVENTS":null,"CONFIG_UPROBE_EVENTS":"y",…},
 *      "program_types":{…"have_tracing_prog_type":false,…},…}
 *
 * An option that is off is null, and so is every option where there is no configuration to read;
 * CONFIG_BPF tells the two apart. An error leaves both fields null.
 */
export function parseBpftoolFeature(text: string): BpfFeatures {
  const parsed = parseBigJson(text);
  const sections = isRow(parsed) ? parsed : {};
  const types = sections['program_types'];
  const config = sections['system_config'];
  const tracing = isRow(types) ? types['have_tracing_prog_type'] : null;
  const known = isRow(config) && config['CONFIG_BPF'] === 'y';
  return {
    tracing: typeof tracing === 'boolean' ? tracing : null,
    kprobe_events: known ? config['CONFIG_KPROBE_EVENTS'] === 'y' : null,
  };
}
