import { parseCmdline } from '../../parsers/cmdline/cmdline.ts';
import { ParseError } from '../../parsers/parsed.ts';
import { mainCgroupPath, parsePidCgroup } from '../../parsers/pid-cgroup/pid-cgroup.ts';
import { type PidStat, parsePidStat } from '../../parsers/pid-stat/pid-stat.ts';
import { type PidStatus, parsePidStatus } from '../../parsers/pid-status/pid-status.ts';
import { maskSecrets } from '../../parsers/secrets.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { Context, Settings } from '../context.ts';
import type { HostFiles } from '../procfs/host-files.ts';

/** Eight times what is shown: credentials in it take less room than they had. */
const cmdline_cap_bytes = 1024;
const cmdline_cap_chars = 120;

/** What a process is, beside what it does. Null where its file gave nothing. */
export type ProcessFacts = Readonly<{
  /** Of the main thread. */
  stat: PidStat | null;
  status: PidStatus | null;
  /** Null for a kernel thread and a zombie, which have none. */
  cmdline: string | null;
  cgroup: string | null;
}>;

export function readFacts({ files, settings }: Context, pid: number): ProcessFacts {
  const folder = `/proc/${pid}`;
  const status = files.text(`${folder}/status`);
  const cgroup = files.text(`${folder}/cgroup`);
  const path = cgroup === null ? null : mainCgroupPath(parsePidCgroup(cgroup).data);
  return {
    stat: readStat(files, `${folder}/stat`),
    status: status === null ? null : parsePidStatus(status).data,
    cmdline: readCmdline(files, `${folder}/cmdline`, settings),
    cgroup: path === null ? null : untrusted(path),
  };
}

/** Null where the process or thread is gone or closed to us. */
export function readStat(files: HostFiles, path: string): PidStat | null {
  const text = files.text(path);
  if (text === null) return null;
  try {
    return parsePidStat(text);
  } catch (error) {
    if (error instanceof ParseError) return null;
    throw error;
  }
}

function readCmdline(files: HostFiles, path: string, settings: Settings): string | null {
  const file = files.read(path, cmdline_cap_bytes);
  if (!file.ok) return null;
  const args = shownArguments(parseCmdline(file.text), settings);
  return args.length === 0 ? null : untrusted(args.join(' '), cmdline_cap_chars);
}

/** As they may be shown: without credentials, where the operator does not want to see these, too. */
export const shownArguments = (
  args: readonly string[],
  { showArguments = false }: Settings,
): readonly string[] => (showArguments ? args : maskSecrets(args));
