import type { Command } from '../../allowlist/command.ts';
import { TracewrightError } from '../errors.ts';
import { lowest, type Policies, refusingFile } from './policy.ts';

/** All user ids of a process, or null where there is no such process. */
export type UsersOf = (pid: number) => readonly number[] | null;

/**
 * The command as the policies let it run: what is too long for them is shortened, all else that they
 * forbid is refused. This holds whatever was asked, and for whatever reason it is started.
 *
 * @throws TracewrightError NOT_ALLOWED
 */
export function underPolicies(policies: Policies, command: Command, usersOf: UsersOf): Command {
  if (policies.length === 0) return command;
  const { subject, limits } = command;
  if (subject.runs_user_code) refuseUserCode(policies);
  for (const name of subject.functions) refuseFunction(policies, name);
  refuseRate(policies, subject.rate_hz ?? 0);
  if (typeof subject.watches === 'object') {
    refuseProcess(policies, subject.watches.pid, usersOf);
  } else if (subject.watches === 'all') {
    refuseAllProcesses(policies);
  }
  const longest = lowest(policies, 'max_duration_seconds');
  if (!longest || subject.window_ms === null) return command;
  const around_ms = Math.max(0, limits.duration_ms - subject.window_ms);
  const duration_ms = Math.min(limits.duration_ms, longest.value * 1000 + around_ms);
  return { ...command, limits: { ...limits, duration_ms } };
}

/** The reason why a tool is not offered, or null. */
export function toolRefusal(
  policies: Policies,
  tool: Readonly<{ name: string; effect: string }>,
): TracewrightError | null {
  const path = refusingFile(policies, 'tools', tool.name);
  if (path !== null) return refusal(path, `does not allow the tool ${tool.name}`, `"tools"`);
  const without = policies.find(({ rules }) => rules.python === false);
  if (tool.effect !== 'run' || !without) return null;
  return refusal(without.path, `does not allow programs of users to be run`, '"python"');
}

export function refuseResource(policies: Policies, uri: string): void {
  const path = refusingFile(policies, 'resources', uri);
  if (path !== null) throw refusal(path, `does not allow the resource ${uri}`, '"resources"');
}

export function refuseHttp(policies: Policies): void {
  const file = policies.find(({ rules }) => rules.http === false);
  if (file) throw refusal(file.path, 'does not allow HTTP', '"http"');
}

export function refuseRate(policies: Policies, rate_hz: number): void {
  const highest = lowest(policies, 'max_sample_rate_hz');
  if (!highest || rate_hz <= highest.value) return;
  throw new TracewrightError(
    'NOT_ALLOWED',
    `The policy ${highest.path} allows at most ${highest.value} samples a second, not ${rate_hz}.`,
    `Ask for at most ${highest.value} Hz.`,
  );
}

/** A process of which one of the user ids is not named belongs to others, too. */
export function refuseProcess(policies: Policies, pid: number, usersOf: UsersOf): void {
  const limiting = policies.filter(({ rules }) => rules.users !== undefined);
  if (limiting.length === 0) return;
  const users = usersOf(pid);
  // Whoever finds no process is told so where it is looked for.
  if (users === null) return;
  const file = limiting.find(({ rules }) => !users.every((uid) => rules.users?.includes(uid)));
  if (!file) return;
  throw refusal(
    file.path,
    `does not allow processes of user ${users.find((uid) => !file.rules.users?.includes(uid))} to be looked into, and process ${pid} is one`,
    '"users"',
  );
}

function refuseAllProcesses(policies: Policies): void {
  const file = policies.find(({ rules }) => rules.users !== undefined);
  if (!file) return;
  throw new TracewrightError(
    'NOT_ALLOWED',
    `The policy ${file.path} allows processes of users ${file.rules.users?.join(', ') || '(none)'} to be recorded, and this would record those of all.`,
    'Give the pid of a process of theirs, or ask the administrator to change "users" there.',
  );
}

function refuseUserCode(policies: Policies): void {
  const file = policies.find(({ rules }) => rules.python === false);
  if (file) throw refusal(file.path, 'does not allow programs of users to be run', '"python"');
}

function refuseFunction(policies: Policies, name: string): void {
  const path = refusingFile(policies, 'kernel_functions', name);
  if (path === null) return;
  throw refusal(path, `does not allow probes on ${name}`, '"kernel_functions"');
}

const refusal = (path: string, what: string, key: string): TracewrightError =>
  new TracewrightError(
    'NOT_ALLOWED',
    `The policy ${path} ${what}.`,
    `Its administrator may change ${key} in ${path}; this server cannot.`,
  );
