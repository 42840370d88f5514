import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Call } from '../../src/context.ts';

export type Load = Readonly<{
  pid: number;
  /** Writes a line to it. */
  go(): void;
  /** What it printed so far. */
  said(): string;
}>;

const children = new Set<ChildProcess>();

/** A program of a test that has said "ready"; `endLoads` ends it with its process group. */
export async function load(program: string, ...args: readonly string[]): Promise<Load> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
  children.add(child);
  let said = '';
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${program} ended with ${code}`)));
    child.stdout.on('data', (chunk) => {
      said += String(chunk);
      if (said.includes('ready')) resolve();
    });
  });
  return { pid: child.pid ?? 0, go: () => child.stdin.write('go\n'), said: () => said };
}

export function endLoads(): void {
  for (const { pid = 0 } of children) {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
  children.clear();
}

/** A call that does something once the tracer watches, as its progress tells. */
export function callThatActs(act: () => void): Call {
  return {
    signal: new AbortController().signal,
    progress(message) {
      if (message.startsWith('watching')) act();
    },
  };
}

const lacks = [
  existsSync('/usr/bin/bpftrace') ? '' : 'bpftrace',
  existsSync('/usr/bin/python3') ? '' : 'python3',
  process.geteuid?.() === 0 ? '' : 'root',
].filter((each) => each !== '');

/** Why nothing can be traced here; empty where it can. */
export const noTracing = lacks.length === 0 ? '' : ` (needs ${lacks.join(', ')})`;
