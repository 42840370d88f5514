import { gzipSync } from 'node:zlib';
import { Profile, StringTable } from 'pprof-format';
import { moduleName } from './frame-words.ts';
import type { StackProfile } from './stack-profile.ts';

const units = { samples: 'count', ns: 'nanoseconds', count: 'count', bytes: 'bytes' } as const;

/**
 * The profile in the protobuf of pprof, gzipped. Values of a sample: how many samples, and their
 * weight where that is another thing. Tasks are labels: comm, pid, tid.
 */
export function pprofFile(profile: StackProfile): Uint8Array {
  const strings = new StringTable();
  const text = (value: string): number => strings.dedup(value);
  const mappings = new Map<string, number>();
  for (const { module } of profile.frames) {
    if (module !== null && !mappings.has(module)) mappings.set(module, mappings.size + 1);
  }
  const weighed = profile.unit !== 'samples';
  const kind = { type: text(profile.event), unit: text(units[profile.unit]) };
  const sampleType = [{ type: text('samples'), unit: text('count') }, ...(weighed ? [kind] : [])];
  const clock = !weighed && profile.period !== null;
  const file = new Profile({
    stringTable: strings,
    sampleType,
    sample: profile.stacks.map(({ frames, comm, pid, tid, weight, samples }) => ({
      locationId: frames.toReversed().map((frame) => frame + 1),
      value: weighed ? [samples, Math.round(weight)] : [Math.round(weight)],
      label: [
        ...(comm === null ? [] : [{ key: text('comm'), str: text(comm) }]),
        ...(pid === null ? [] : [{ key: text('pid'), num: pid }]),
        ...(tid === null ? [] : [{ key: text('tid'), num: tid }]),
      ],
    })),
    mapping: [...mappings].map(([module, id]) => ({
      id,
      filename: text(module),
      hasFunctions: true,
    })),
    location: profile.frames.map(({ module }, index) => ({
      id: index + 1,
      mappingId: module === null ? 0 : (mappings.get(module) ?? 0),
      line: [{ functionId: index + 1 }],
    })),
    function: profile.frames.map(({ name, module }, index) => ({
      id: index + 1,
      name: text(name),
      systemName: text(name),
      filename: text(module === null ? '' : moduleName(module)),
    })),
    durationNanos: Math.round((profile.duration_ms ?? 0) * 1e6),
    ...(clock
      ? {
          periodType: { type: text('cpu'), unit: text('nanoseconds') },
          period: profile.period ?? 0,
        }
      : {}),
    comment: profile.warnings.map(text),
  });
  return gzipSync(file.encode());
}
