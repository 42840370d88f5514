import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command, Program } from '../allowlist/command.ts';
import type { Audit } from './audit/audit.ts';
import { guarded } from './exec/guarded-start.ts';
import { type ImportFile, openImport, usualImportRoots } from './exec/import-file.ts';
import { findProgram, installCommand, type Resolved } from './exec/resolve-program.ts';
import { type Scratch, scratchSpace } from './exec/scratch.ts';
import { shippedPython, shippedScript } from './exec/shipped-script.ts';
import {
  type Finished,
  type Running,
  type StartOptions,
  start as startProgram,
} from './exec/start.ts';
import { environmentPythons, programUser, userFile } from './exec/user-files.ts';
import { userWorkspace } from './exec/user-workspace.ts';
import {
  type Helper,
  type HelperSetting,
  helper_socket,
  privilegedRuns,
} from './helper/privileged-runs.ts';
import { isPerfReader, offlineRefusal, ownFiles } from './offline.ts';
import { lowest, type Policies } from './policy/policy.ts';
import { type UsersOf, underPolicies } from './policy/refusals.ts';
import { usersIn } from './policy/users-in.ts';
import { type HostFiles, hostFiles } from './procfs/host-files.ts';
import { clockOffsets } from './procfs/time-namespace.ts';
import { type PythonSettings, pythonSettings } from './python-settings.ts';
import { type UnixLines, unixLines } from './sockets/unix-lines.ts';
import { type CaptureStore, captureStore, most_kept_bytes } from './store/capture-store.ts';
import { stateFolder } from './store/state-folder.ts';

/** Fixed when the server starts; no request changes it. */
export type Settings = Readonly<{
  /** Keeps baselines between reads, so that rates cover the time since the last one. */
  daemon: boolean;
  /** Refuses whatever attaches, records or writes. */
  readOnly: boolean;
  /** Analyses what is kept or imported: starts perf's reader alone, and reads nothing of this host. */
  offline?: boolean | undefined;
  /** Where the scheduler serves scx_stats; default /var/run/scx/root/stats. */
  statsSocketPath?: string | undefined;
  /** Programs of users; default: those below the working folder. */
  python?: PythonSettings | undefined;
  /** Folders from which profiles may be imported; default: the working folder. */
  importRoots?: readonly string[] | undefined;
  /** Where captures are kept; default: the state folder of the user. */
  stateFolder?: string | undefined;
  /** What administrators allow; default: everything. */
  policies?: Policies | undefined;
  /** Command lines with what looks like a credential in them. */
  showArguments?: boolean | undefined;
  /** Addresses of the kernel. */
  showAddresses?: boolean | undefined;
  /** Where executions are recorded; default: nowhere. */
  audit?: Audit | undefined;
  /** Who runs what needs root where we are not; default: a helper that has a socket. */
  helper?: HelperSetting | undefined;
}>;

/** All that collectors know of the outside. Narrow on purpose: a member needs a collector. */
export type Context = Readonly<{
  settings: Settings;
  files: HostFiles;
  host: string;
  /** Effective user id: decides which files and counters are open to us. */
  uid: number;
  /** What runs as root for us, where we are not. See collectors/privileges.ts. */
  helper: Helper;
  /** As Node.js names it: x64, arm64, … */
  arch: string;
  /** Arguments of a function that this processor passes in registers. */
  registers: 6 | 8;
  run(command: Command, options?: StartOptions): Promise<Finished>;
  start(command: Command, options?: StartOptions): Promise<Running>;
  find(program: Program): Resolved;
  install(program: Program): string;
  scratch: Scratch;
  /** A bpftrace program of this package. */
  script: typeof shippedScript;
  pythonScript: typeof shippedPython;
  /** Connects to the statistics socket of the scheduler: the operator's path and no other. */
  connectStats(): UnixLines;
  python: PythonSettings;
  /** Files of users, below the folders that the operator allows. */
  userFile: typeof userFile;
  programUser: typeof programUser;
  environmentPythons: typeof environmentPythons;
  workspace: typeof userWorkspace;
  /** A file of a user's to be imported, below the folders that the operator allows. */
  openImport(path: string): ImportFile;
  /** Captures that outlive a server. */
  captures: CaptureStore;
  policies: Policies;
  usersOf: UsersOf;
  now(): Date;
  monotonicMs(): number;
  /** CLOCK_MONOTONIC of the kernel, the clock of time stamps that BPF programs take. */
  monotonicNs(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}>;

/** What belongs to one request. */
export type Call = Readonly<{
  signal: AbortSignal;
  progress(message: string): void;
  /** Who asks, where several clients share a server: each has its own place in the event stream. */
  reader?: object | undefined;
}>;

/** `root` and `starter` are for tests. */
export function createContext(settings: Settings, root = '', starter = startProgram): Context {
  const files = settings.offline ? ownFiles(hostFiles(root)) : hostFiles(root);
  let ahead_ns: number | undefined;
  const policies = settings.policies ?? [];
  const usersOf = usersIn(files);
  const admit = (command: Command): Command => {
    if (settings.offline && !isPerfReader(command)) throw offlineRefusal(command.program.name);
    return underPolicies(policies, command, usersOf);
  };
  const { helper, scratch, ...runs } = privilegedRuns(
    settings.helper ?? 'auto',
    root + helper_socket,
    scratchSpace(),
    starter,
  );
  return {
    settings,
    policies,
    usersOf,
    files,
    host: hostname(),
    uid: process.geteuid?.() ?? 0,
    arch: process.arch,
    registers: process.arch === 'x64' ? 6 : 8,
    find: findProgram,
    install: installCommand,
    ...guarded({ admit, record: settings.audit?.attempt }, runs.start),
    helper,
    scratch,
    script: shippedScript,
    pythonScript: shippedPython,
    connectStats: () => {
      if (settings.offline) throw offlineRefusal('its scheduler');
      return unixLines(settings.statsSocketPath ?? `${root}/var/run/scx/root/stats`);
    },
    python: settings.python ?? pythonSettings({}, process.cwd()),
    userFile,
    programUser,
    environmentPythons,
    workspace: userWorkspace,
    openImport: (path) => openImport(path, settings.importRoots ?? usualImportRoots()),
    captures: captureStore(
      settings.stateFolder ?? stateFolder(),
      () => new Date(),
      quotaUnder(policies),
    ),
    now: () => new Date(),
    monotonicMs: () => performance.now(),
    monotonicNs: () => {
      ahead_ns ??= clockOffsets(files).monotonic_ns;
      return Number(process.hrtime.bigint()) - ahead_ns;
    },
    sleep: (ms, signal) => delay(ms, undefined, signal ? { signal } : {}),
  };
}

/** A policy can only lower it. */
function quotaUnder(policies: Policies): Readonly<{ quota_bytes?: number }> {
  const quota = lowest(policies, 'state_quota_bytes')?.value;
  return quota === undefined ? {} : { quota_bytes: Math.min(quota, most_kept_bytes) };
}
