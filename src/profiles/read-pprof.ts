import { gunzipSync } from 'node:zlib';
import { type Location, Profile, type Sample } from 'pprof-format';
import { ParseError } from '../../parsers/parsed.ts';
import { stackBuilder } from './stack-builder.ts';
import type { Frame, StackProfile } from './stack-profile.ts';

const largest_bytes = 512 * 1024 * 1024;
const nanoseconds: Readonly<Record<string, number>> = {
  nanoseconds: 1,
  microseconds: 1e3,
  milliseconds: 1e6,
  seconds: 1e9,
};

/**
 * A profile of pprof, gzipped or not. Of several values of a sample the default one counts, else the
 * last, as in pprof itself; times become ns. Lines of one location but the last are inlined.
 *
 * @throws ParseError where the bytes are no such profile
 */
export function readPprof(bytes: Uint8Array): StackProfile {
  const profile = decode(bytes);
  const text = (index: number | bigint | undefined): string =>
    profile.stringTable.strings[Number(index ?? 0)] ?? '';
  const chosen = chosenValue(profile, text);
  const counting = profile.sampleType.findIndex(({ unit }) => text(unit) === 'count');
  const unit = text(profile.sampleType[chosen]?.unit);
  const scale = nanoseconds[unit] ?? 1;
  const builder = stackBuilder();
  const frames = locationFrames(profile, text);
  const numbers = new Map(
    [...frames].map(([id, all]) => [id, all.map((frame) => builder.frame(frame))]),
  );
  for (const sample of profile.sample) {
    const { locationId, value } = sample;
    const stack = locationId.flatMap((id) => numbers.get(Number(id)) ?? []).reverse();
    const weight = Number(value[chosen] ?? 0) * scale;
    const samples = counting < 0 ? 1 : Number(value[counting] ?? 0);
    if (weight !== 0) builder.add(stack, taskOf(sample, text), weight, samples);
  }
  const type = text(profile.sampleType[chosen]?.type);
  const duration = Number(profile.durationNanos);
  return builder.finish({
    event: type || 'samples',
    unit: nanoseconds[unit] ? 'ns' : unitOf(type, unit),
    period: periodOf(profile, text),
    duration_ms: duration > 0 ? duration / 1e6 : null,
    lost: 0,
    warnings: profile.comment.map((comment) => text(comment)).slice(0, 20),
  });
}

function decode(bytes: Uint8Array): Profile {
  const profile = tryToDecode(bytes);
  if (typeof profile === 'string') throw new ParseError(`this is no profile of pprof: ${profile}`);
  return profile;
}

function tryToDecode(bytes: Uint8Array): Profile | string {
  try {
    const zipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
    const plain = zipped ? gunzipSync(bytes, { maxOutputLength: largest_bytes }) : bytes;
    const profile = Profile.decode(plain);
    const sound = profile.sampleType.length > 0 && profile.stringTable.strings[0] === '';
    return sound ? profile : 'it names no type of sample';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

type Text = (index: number | bigint | undefined) => string;

function taskOf({ label }: Sample, text: Text) {
  const labels = new Map(label.map((each) => [text(each.key), each]));
  const comm = labels.get('comm') ?? labels.get('thread');
  return {
    comm: comm && Number(comm.str) > 0 ? text(comm.str) : null,
    pid: numberOf(labels.get('pid')?.num),
    tid: numberOf(labels.get('tid')?.num),
  };
}

function periodOf({ periodType, period }: Profile, text: Text): number | null {
  const scale = nanoseconds[text(periodType?.unit)];
  return scale === undefined ? null : Number(period) * scale || null;
}

function chosenValue({ sampleType, defaultSampleType }: Profile, text: Text): number {
  const wanted = text(defaultSampleType);
  const found = sampleType.findIndex(({ type }) => text(type) === wanted);
  return wanted !== '' && found >= 0 ? found : sampleType.length - 1;
}

const unitOf = (type: string, unit: string): StackProfile['unit'] => {
  if (unit === 'bytes') return 'bytes';
  return /^samples?$|^cpu-clock$|^cycles$/.test(type) ? 'samples' : 'count';
};

/** The functions of each location, innermost first. */
function locationFrames(profile: Profile, text: Text): ReadonlyMap<number, readonly Frame[]> {
  const functions = new Map(profile.function.map((each) => [Number(each.id), each]));
  const mappings = new Map(profile.mapping.map((each) => [Number(each.id), text(each.filename)]));
  return new Map(
    profile.location.map((location) => {
      const module = mappings.get(Number(location.mappingId)) || null;
      return [Number(location.id), framesOf(location, module)];
    }),
  );

  function framesOf({ line, address }: Location, module: string | null): readonly Frame[] {
    const outer = /^\[?kernel|^\[.*\]$|vmlinux/.test(module ?? '') ? 'kernel' : 'user';
    if (line.length === 0) {
      const name = Number(address) === 0 ? '[unknown]' : `0x${BigInt(address).toString(16)}`;
      return [{ name, module, kind: 'unknown' }];
    }
    return line.map(({ functionId }, at) => {
      const name = text(functions.get(Number(functionId))?.name) || '[unknown]';
      return { name, module, kind: at < line.length - 1 ? 'inlined' : outer };
    });
  }
}

const numberOf = (value: number | bigint | undefined): number | null =>
  value === undefined || Number(value) === 0 ? null : Number(value);
