import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { helpersOf } from '../helper/installed.ts';
import { installed_folder } from '../server/stdio.ts';

export type Started = Readonly<{ pid: number; comm: string }>;

const helpers = (): readonly number[] =>
  installed_folder === undefined ? [] : helpersOf({ bundle: `${installed_folder}/dist/cli.js` });

/** What runs below a server, and helpers of the user nobody with what runs below them. */
export const startedBy = (server: number): readonly Started[] => [
  ...descendants(server),
  ...helpers().flatMap((pid) => [{ pid, comm: 'helper' }, ...descendants(pid)]),
];

const seen = new Set<number>();

/** What begins the name of the private folder of a server, or of any helper that has run for this file. */
export function folderNames(server: number): RegExp {
  if (installed_folder === undefined) return new RegExp(`/tracewright-\\d+-${server}-`);
  for (const helper of helpers()) seen.add(helper);
  return new RegExp(`/tracewright-0-(?:${[...seen].join('|')})-`);
}

/** A file that a program of ours has written, where it lies: a helper has a folder of its own. */
export function written(path: string, name: string): string {
  const folders = readdirSync(tmpdir()).filter((each) =>
    helpers().some((helper) => each.startsWith(`tracewright-0-${helper}-`)),
  );
  const its = folders.map((folder) => join(tmpdir(), folder, `out-${name}`));
  return its.find((each) => existsSync(each)) ?? path;
}

/** The processes below one that have not ended, each before its own. */
function descendants(pid: number): readonly Started[] {
  const children = textOf(`/proc/${pid}/task/${pid}/children`).trim().split(' ').filter(Boolean);
  return children.flatMap((child) => {
    const [, comm, state] = /\((.*)\) (.)/s.exec(textOf(`/proc/${child}/stat`)) ?? [];
    const its = comm === undefined || state === 'Z' ? [] : [{ pid: Number(child), comm }];
    return [...its, ...descendants(Number(child))];
  });
}

/** Empty where the process has ended meanwhile. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
