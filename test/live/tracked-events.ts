import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { taskWords } from '../../parsers/stream/short-records.ts';
import type { EventType, StreamEvent } from '../../parsers/stream/stream.ts';
import { parseStreamRecord } from '../../parsers/stream/stream.ts';
import {
  type EventFilter,
  type EventTracer,
  startEventTracer,
} from '../../src/collectors/event-tracer.ts';
import { wholeFilter } from '../../src/collectors/whole-filter.ts';
import { createContext } from '../../src/context.ts';

export type Tracked = Readonly<{
  events: readonly StreamEvent[];
  /** Lines that began a record and gave no event. */
  unread: readonly string[];
  received: number;
  seen: number;
  lost: number;
  attached: readonly string[];
}>;

const call = { signal: new AbortController().signal, progress: () => {} };

const ctx = createContext({ daemon: true, readOnly: false });

/** What the kernel tells while something happens. */
export async function track(
  types: readonly EventType[],
  happens: () => Promise<unknown>,
  filter: Partial<EventFilter> = {},
): Promise<Tracked> {
  const records: string[] = [];
  const tasks = taskWords();
  const controls: string[] = [];
  let tracer: EventTracer | null = null;
  let rest = '';
  const take = (bytes: Buffer): void => {
    const lines = (rest + bytes.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (tasks.learn(line)) continue;
      if (/^[a-z]/.test(line)) records.push(line);
      else if (/^\s/.test(line)) records.push(`${records.pop() ?? ''}\n${line}`);
      else if (line !== '' && tracer === null) controls.push(line);
      else if (line !== '') tracer?.control(line);
    }
  };
  const options = { ...wholeFilter(types), ...filter, duration_ms: 60_000 };
  tracer = await startEventTracer(ctx, options, take, call);
  for (const line of controls) tracer.control(line);
  try {
    await happens();
    await pause(50);
  } finally {
    await tracer.stop();
  }
  const parsed = records.map((record) => ({
    record,
    event: parseStreamRecord(tasks.expand(record)),
  }));
  return {
    events: parsed.flatMap(({ event }) => (event === null ? [] : [event])),
    unread: parsed.flatMap(({ record, event }) => (event === null ? [record] : [])),
    received: records.length,
    seen: tracer.seen(),
    lost: tracer.lost(),
    attached: tracer.attached,
  };
}

/** A program in the background, and its end. */
export function begin(program: string, ...args: readonly string[]) {
  const child: ChildProcess = spawn(program, args, { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} did not start`);
  return {
    pid,
    ended,
    async stop(): Promise<void> {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Keeps a CPU busy. */
export const spin = (cpu: number) =>
  begin('taskset', '-c', String(cpu), 'sh', '-c', 'while :; do :; done');
