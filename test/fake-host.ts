import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { type Call, type Context, createContext } from '../src/context.ts';
import { emptyFolder } from './fake-topology.ts';
import { mustBeAskable } from './helper/askable.ts';

/** Paths from the root of the host, such as `proc/stat`, and what they hold. Null: no such file. */
export type HostFilesNow = Readonly<Record<string, string | null>>;

const roots = new Set<string>();
afterAll(() => {
  for (const root of roots) rmSync(root, { recursive: true, force: true });
});

/** A root directory with these files, for createContext and hostFiles. */
export function fakeHost(files: HostFilesNow, root = emptyFolder()): string {
  roots.add(root);
  for (const [path, text] of Object.entries(files)) {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    if (text === null) rmSync(file, { force: true });
    else writeFileSync(file, text);
  }
  return root;
}

export type ScriptedContext = Context &
  Readonly<{
    /** Every wait that was asked for, in order. */
    waits: readonly number[];
    /** Lets time pass and gives the host other files, between two reads. */
    pass(ms: number, files?: HostFilesNow): void;
  }>;

/**
 * A context over a fake host whose clock moves only in `sleep` and `pass`. At each sleep that takes
 * time the host gets the next of `moments`. It is no root and has no perf unless `parts` say so.
 * What it runs has to be what a helper would run, too.
 */
export function scriptedContext(
  root: string,
  moments: readonly HostFilesNow[] = [],
  parts: Partial<Context> = {},
): ScriptedContext {
  const coming = [...moments];
  const waits: number[] = [];
  let clock_ms = 1000;
  const ctx: ScriptedContext = {
    ...createContext({ daemon: false, readOnly: false, stateFolder: join(root, 'state') }, root),
    uid: 1000,
    monotonicMs: () => clock_ms,
    async sleep(ms) {
      await Promise.resolve();
      if (ms === 0) return;
      waits.push(ms);
      clock_ms += ms;
      fakeHost(coming.shift() ?? {}, root);
    },
    waits,
    pass(ms, files = {}) {
      clock_ms += ms;
      fakeHost(files, root);
    },
    ...parts,
  };
  return {
    ...ctx,
    run(command, options) {
      mustBeAskable(command);
      return ctx.run(command, options);
    },
    start(command, options) {
      mustBeAskable(command);
      return ctx.start(command, options);
    },
  };
}

export const call: Call = { signal: new AbortController().signal, progress: () => {} };

/** /proc/stat of CPUs with these ticks: user nice system idle iowait irq softirq steal … */
export function procStat(cpus: Readonly<Record<number, string>>, rest = 'ctxt 0\n'): string {
  const lines = Object.entries(cpus).map(([cpu, ticks]) => `cpu${cpu} ${ticks}`);
  return `cpu  0 0 0 0\n${lines.join('\n')}\n${rest}`;
}
