import * as z from 'zod/v4';
import { TracewrightError } from '../errors.ts';
import type { PolicyRules } from './policy.ts';

const names = (pattern: RegExp) => z.array(z.string().max(200).regex(pattern)).max(500);
const tool = /^[a-z_*]+$/;
const nameRules = (pattern: RegExp) =>
  z.strictObject({ allow: names(pattern).optional(), deny: names(pattern).optional() });

const schema = z.strictObject({
  tools: nameRules(tool).optional(),
  resources: z.strictObject({ deny: names(/^[a-z]+:\/\/[\w{}/*.-]*$|^\*$/) }).optional(),
  max_duration_seconds: z.number().min(1).max(86_400).optional(),
  max_sample_rate_hz: z.number().min(1).max(10_000).optional(),
  kernel_functions: nameRules(/^[\w.*]+$/).optional(),
  users: z
    .array(
      z.union([z.int().min(0).max(4_294_967_294), z.string().regex(/^[A-Za-z_][\w.-]{0,31}$/)]),
    )
    .max(1000)
    .optional(),
  python: z.boolean().optional(),
  state_quota_bytes: z
    .int()
    .min(1024 * 1024)
    .optional(),
  http: z.boolean().optional(),
  audit: z.boolean().optional(),
});

/**
 * The rules of a policy. `uidOf` gives the id of a user by name, null where there is none.
 *
 * @throws TracewrightError NOT_ALLOWED that names each wrong key
 */
export function parsePolicy(
  path: string,
  text: string,
  uidOf: (name: string) => number | null,
): PolicyRules {
  const parsed = schema.safeParse(json(path, text));
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => {
      const where = issue.path.map(String).join('.');
      if (issue.code === 'unrecognized_keys') {
        const keys = issue.keys.map((key) => (where === '' ? key : `${where}.${key}`));
        return `unknown key ${keys.join(', ')}`;
      }
      return `${where === '' ? 'the policy' : where}: ${issue.message}`;
    });
    throw invalid(path, problems.join('; ').slice(0, 600));
  }
  const { users, ...rules } = parsed.data;
  if (!users) return rules;
  return { ...rules, users: users.map((user) => (typeof user === 'number' ? user : named(user))) };

  function named(user: string): number {
    const uid = uidOf(user);
    if (uid === null) throw invalid(path, `users: /etc/passwd has no "${user}"; give its number`);
    return uid;
  }
}

function json(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(path, error instanceof Error ? error.message : String(error));
  }
}

const invalid = (path: string, problem: string): TracewrightError =>
  new TracewrightError(
    'NOT_ALLOWED',
    `${path} is no policy: ${problem}.`,
    `Known keys: ${Object.keys(schema.shape).join(', ')}. Change it, then: tracewright policy ${path}`,
  );
