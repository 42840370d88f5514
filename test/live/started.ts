import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { helpersOf } from '../helper/installed.ts';

/** Where the server of nobody lies while live tests go through a helper; undefined: they do not. */
export const installed_folder = process.env['TRACEWRIGHT_LIVE_FOLDER'];

export type Started = Readonly<{ pid: number; comm: string }>;

const helpers = (): readonly number[] =>
  installed_folder === undefined ? [] : helpersOf({ bundle: `${installed_folder}/dist/cli.js` });

/** What runs below a server, or below the helpers of nobody's. */
export const startedBy = (server: number): readonly Started[] =>
  [server, ...helpers()].flatMap(descendants);

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
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    return children.filter(Boolean).flatMap((child) => {
      const [, comm = '', state] =
        /\((.*)\) (.)/s.exec(readFileSync(`/proc/${child}/stat`, 'utf8')) ?? [];
      const below = descendants(Number(child));
      return state === 'Z' ? below : [{ pid: Number(child), comm }, ...below];
    });
  } catch {
    // It ended meanwhile.
    return [];
  }
}
