import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/v4';
import { bundled } from '../bundled.ts';
import { connect } from '../server/stdio.ts';
import { type Family, familyOf } from './family.ts';

const Printed = z.object({ outcome: z.string(), monotonic_ns: z.number() });
type Limited = Readonly<{ limit?: string; mode?: string; before?: readonly string[] }>;

const disks: string[] = [];

/** A file system of 1 MiB, there until `removeDisks`. */
export function smallDisk(folder: string): string {
  mkdirSync(folder, { mode: 0o700 });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=700', 'tmpfs', folder]);
  disks.push(folder);
  return folder;
}

export function fill(disk: string): void {
  try {
    writeFileSync(join(disk, 'fill'), Buffer.alloc(2 << 20));
  } catch {
    // It is full now.
  }
}

export function removeDisks(): void {
  for (const disk of disks.splice(0)) spawnSync('umount', ['-l', disk]);
}

/** Another process of ours that runs a program, in surroundings that lack something. */
export function otherProcess(room: string) {
  const program = join(room, 'short-of.mjs');
  const none = join(room, 'none.sh');
  return {
    async prepare(): Promise<void> {
      await bundled("import './test/security/programs/short-of.ts'", program);
      writeFileSync(none, '#!/bin/sh\nexit 0\n');
      chmodSync(none, 0o755);
      chmodSync(room, 0o755);
    },
    run({ limit = '', mode = '', before = [] }: Limited): z.infer<typeof Printed> {
      const words = [...before, process.execPath, program, none, limit, mode];
      const [first = '', ...rest] = words;
      const options = { encoding: 'utf8', timeout: 60_000, env: { HOME: '/nonexistent' } } as const;
      return Printed.parse(JSON.parse(execFileSync(first, rest, options)));
    },
  };
}

const tracing = '/sys/kernel/tracing';

/** What a tracer answers whose tracefs is unmounted while it runs. */
export async function unmountedBelow(): Promise<string> {
  const mounting = `mount -t tracefs nodev ${tracing}; exec "$0" "$@"`;
  const shell = ['--mount', '--propagation', 'private', 'sh', '-c', mounting] as const;
  const server = connect(['mcp'], ['unshare', ...shell, process.execPath, 'dist/cli.js']);
  const pid = server.child.pid ?? 0;
  try {
    let isAnswered = false;
    const answer = server.call('perf_runq_latency', { duration_seconds: 3 }).then((message) => {
      isAnswered = true;
      return message;
    });
    const family: Family = {
      processes: new Map(),
      programs: new Set(),
      links: new Set(),
      events: 0,
    };
    while (family.programs.size === 0 && !isAnswered) {
      familyOf(pid, family);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    execFileSync('/usr/bin/nsenter', [`--target=${pid}`, '--mount', 'umount', '-l', tracing]);
    const { result } = await answer;
    return result?.['isError'] ? JSON.stringify(result['content']) : 'answer';
  } finally {
    server.close();
  }
}
