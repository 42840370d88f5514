import { untrusted } from '../untrusted.ts';
import { isFields, number } from './fields.ts';

export type ScaleneFrame = Readonly<{ file: string; function: string; line: number }>;

/** A stack of Python frames, outermost first, and how often it was sampled. */
export type ScaleneStack = Readonly<{ frames: readonly ScaleneFrame[]; samples: number }>;

/**
 * `stacks` of a profile. Up to 1.5.53 `[[[file, function, line], …], [count, …]]`, later
 * `[["file function:line;", …], {count, …}]`. What is of neither form is left out.
 */
export function parseStacks(value: unknown): ScaleneStack[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((each: unknown) => {
    const [frames, hits] = Array.isArray(each) ? (each as unknown[]) : [];
    const samples = number(isFields(hits) ? hits['count'] : Array.isArray(hits) ? hits[0] : null);
    if (!Array.isArray(frames) || samples === null) return [];
    return [{ frames: frames.flatMap(readFrame), samples }];
  });
}

function readFrame(frame: unknown): ScaleneFrame[] {
  if (Array.isArray(frame)) {
    const [file, name, line] = frame as unknown[];
    return typeof file === 'string' &&
      typeof name === 'string' &&
      typeof line === 'number' &&
      Number.isFinite(line)
      ? [{ file: untrusted(file, 1000), function: untrusted(name), line }]
      : [];
  }
  const parts =
    typeof frame === 'string' ? /^(?=.*:\d{1,9};?$)(.*) (.*):(\d{1,9});?$/.exec(frame) : null;
  const [, file = '', name = '', line = ''] = parts ?? [];
  return parts
    ? [{ file: untrusted(file, 1000), function: untrusted(name), line: Number(line) }]
    : [];
}
