import type * as z from 'zod/v4';
import { TracewrightError } from '../errors.ts';
import { lowest, type Policies } from './policy.ts';
import { refuseProcess, refuseRate, type UsersOf } from './refusals.ts';

/** Arguments by what they mean; all in seconds. 0 of the first: until it is stopped. */
const durations = ['duration_secs', 'duration_seconds', 'duration_s', 'timeout'] as const;
const rates = ['freq', 'sample_rate_hz'] as const;
const processes = ['pid', 'tgid'] as const;

/**
 * The arguments of a call where policies hold: what is above a limit is refused with the limit, and a
 * default above it becomes the limit. What is no number is left to the check of arguments.
 *
 * @throws TracewrightError NOT_ALLOWED
 */
export function argumentsUnder(
  policies: Policies,
  usersOf: UsersOf,
  input: z.ZodObject,
  args: unknown,
): unknown {
  if (policies.length === 0) return args;
  if (typeof args !== 'object' && args !== undefined) return args;
  const given: Record<string, unknown> = { ...args };
  for (const name of processes) {
    const pid = Number(given[name]);
    if (pid > 0) refuseProcess(policies, pid, usersOf);
  }
  const known = (name: string): boolean => Object.hasOwn(input.shape, name);
  for (const name of durations.filter(known)) {
    const longest = lowest(policies, 'max_duration_seconds');
    if (!longest) break;
    given[name] = withinDuration(longest, given[name], () => defaultOf(input, name));
  }
  for (const name of rates.filter(known)) {
    given[name] = withinRate(policies, given[name], () => defaultOf(input, name));
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function withinRate(policies: Policies, given: unknown, fallback: () => number | null): unknown {
  const highest = lowest(policies, 'max_sample_rate_hz');
  if (!highest) return given;
  if (typeof given === 'number') refuseRate(policies, given);
  if (given !== undefined) return given;
  return Math.floor(Math.min(highest.value, fallback() ?? highest.value));
}

function withinDuration(
  longest: Readonly<{ value: number; path: string }>,
  given: unknown,
  fallback: () => number | null,
): unknown {
  if (given === undefined || given === 0) {
    const usual = given === 0 ? 0 : fallback();
    if (usual === null) return given;
    return usual === 0 || usual > longest.value ? Math.floor(longest.value) : given;
  }
  if (typeof given !== 'number' || given <= longest.value) return given;
  throw new TracewrightError(
    'NOT_ALLOWED',
    `The policy ${longest.path} allows at most ${longest.value} s, not ${given}.`,
    `Ask for at most ${longest.value} s.`,
  );
}

function defaultOf(input: z.ZodObject, name: string): number | null {
  const parsed = input.shape[name]?.safeParse(undefined);
  return parsed?.success && typeof parsed.data === 'number' ? parsed.data : null;
}
