import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import * as z from 'zod/v4';

const Pids = z.object({
  zombies: z.array(z.number()),
  vanishing: z.array(z.number()),
  crowd: z.array(z.number()),
  network: z.array(z.number()),
  busy: z.array(z.number()),
  far: z.array(z.number()),
  deleted: z.array(z.number()),
  grouped: z.array(z.number()),
});

/** Processes with names, paths, threads and cgroups that nobody would choose. */
export type Zoo = Readonly<{
  /** For state and captures of a server. */
  room: string;
  pids: z.infer<typeof Pids>;
  close(): Promise<void>;
}>;

/** It renames threads, makes cgroups and is read by what root alone may read. */
export const canKeepZoo: boolean =
  process.geteuid?.() === 0 && spawnSync('python3', ['-c', 'import threading']).status === 0;

export async function openZoo(threads: number): Promise<Zoo> {
  const room = mkdtempSync(join(tmpdir(), 'tracewright-zoo-'));
  const cages = join(room, 'cages');
  mkdirSync(cages);
  const keeper = spawn('python3', ['test/security/programs/zoo.py', cages, String(threads)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const gone = once(keeper, 'exit');
  const [line] = await Promise.race([
    once(createInterface({ input: keeper.stdout }), 'line'),
    gone.then(() => Promise.reject(new Error('the zoo did not open'))),
  ]);
  return {
    room,
    pids: Pids.parse(JSON.parse(String(line))),
    async close() {
      keeper.stdin.end();
      await gone;
      rmSync(room, { recursive: true, force: true });
    },
  };
}

/**
 * What may move a cursor, reorder text or hide it, but for line feeds and tabs; and the name of a
 * process that was cut into two lines.
 */
const forbidden =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it finds
  /[\0-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]|zoo[\n\t]row/u;

/** Places below `value` at which text holds what no terminal may get. */
export function unshowable(value: unknown, path = ''): string[] {
  if (typeof value === 'string') {
    const at = value.search(forbidden);
    return at < 0 ? [] : [`${path}: ${JSON.stringify(value.slice(Math.max(0, at - 20), at + 20))}`];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => [
    ...unshowable(key, `${path} (name)`),
    ...unshowable(each, `${path}.${key}`),
  ]);
}
