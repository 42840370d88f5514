import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { connectV2 } from '../mcp/connect.ts';

type Answer = Readonly<Record<string, unknown>>;

/** A client at work with the built server: what it reads, calls and is told, as parsed answers. */
export async function session(...options: string[]) {
  const { client, close } = await connectV2(process.execPath, ['dist/cli.js', 'mcp', ...options]);
  const patience = { timeout: 120_000 };
  return {
    client,
    close,
    async read(uri: string): Promise<Answer> {
      const { contents } = await client.readResource({ uri }, patience);
      return JSON.parse(Object(contents[0]).text);
    },
    /** The structured content of an answer that is no error. */
    async call(name: string, args: Record<string, unknown> = {}): Promise<Answer> {
      const answer = await client.callTool({ name, arguments: args }, patience);
      if (answer.isError) throw new Error(Object(answer.content)[0].text);
      return Object(answer.structuredContent);
    },
    /** The body of an error. */
    async refused(name: string, args: Record<string, unknown>): Promise<Answer> {
      const answer = await client.callTool({ name, arguments: args }, patience);
      expect(answer.isError).toBe(true);
      return JSON.parse(Object(answer.content)[0].text).error;
    },
    async prompt(name: string, args: Record<string, string> = {}): Promise<string> {
      const { messages } = await client.getPrompt({ name, arguments: args }, patience);
      return messages.map(({ content }) => Object(content).text).join('\n');
    },
  };
}

export type Session = Awaited<ReturnType<typeof session>>;

const kinds = {
  number: (value: unknown) => typeof value === 'number' && Number.isFinite(value),
  percent: (value: unknown) => typeof value === 'number' && value >= 0 && value <= 100.01,
  count: (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 0,
  text: (value: unknown) => typeof value === 'string' && value !== '',
  flag: (value: unknown) => typeof value === 'boolean',
  list: (value: unknown) => Array.isArray(value) && value.length > 0,
} as const;

/**
 * A fact that an answer must hold: at the dotted path a value of this kind, or null with an entry in
 * `unavailable` (or a `reason`) that names it or `absentAs`, and says why.
 */
export function fact(
  answer: Answer,
  path: string,
  kind: keyof typeof kinds,
  absentAs = path.split('.').at(-1) ?? '',
): void {
  const value = path
    .split('.')
    .reduce<unknown>(
      (at, name) => (at === null || at === undefined ? null : Object(at)[name]),
      answer,
    );
  if (value !== null && value !== undefined) {
    expect(
      kinds[kind](value),
      `${path} is no ${kind}: ${JSON.stringify(value)?.slice(0, 200)}`,
    ).toBe(true);
    return;
  }
  const absences: unknown = answer['unavailable'] ?? [];
  const reasons = Object.values(Object(absences))
    .filter((each) => String(Object(each).what).includes(absentAs))
    .map((each) => String(Object(each).reason));
  expect(
    [...reasons, String(answer['reason'] ?? '')].join('').length,
    `${path} is absent without a reason`,
  ).toBeGreaterThan(10);
}

/** Processes that compete for one CPU until `end`, by pid. */
export function competitors(count: number): Readonly<{ pids: number[]; end(): void }> {
  const allowed = /Cpus_allowed_list:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  const loop = 'while :; do :; done';
  const children = Array.from({ length: count }, () =>
    spawn('taskset', ['-c', allowed ?? '0', 'sh', '-c', loop], { stdio: 'ignore' }),
  );
  return {
    pids: children.map(({ pid }) => pid ?? 0),
    end() {
      for (const child of children) child.kill('SIGKILL');
    },
  };
}
