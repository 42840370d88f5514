import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { isRunning } from '../exec/commands.ts';
import { nobody_uid } from '../helper/installed.ts';
import { installed_folder, server } from '../server/stdio.ts';
import { startedBy } from './started.ts';
import { noTracing } from './traced-load.ts';

const room = folderOfItsUser(join(tmpdir(), 'tracewright-interrupted-'));
afterAll(() => rmSync(room, { recursive: true, force: true }));

const [program, ...before] = server;
let end = (): void => {};
afterEach(() => end());

function folderOfItsUser(prefix: string): string {
  const folder = mkdtempSync(prefix);
  if (installed_folder !== undefined) chownSync(folder, nobody_uid, nobody_uid);
  return folder;
}

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' });

describe.skipIf(noTracing !== '')(`Ctrl-C${noTracing}`, () => {
  test.each([
    ['record', '--seconds', '30'],
    ['report', '--seconds', '30', '--out', join(room, 'report.html')],
    ['profile cpu', 'duration_seconds=30', '--out', join(room, 'flame.svg')],
    ['profile offcpu', 'duration_seconds=30', '--out', join(room, 'off.svg')],
  ])(
    'during %s leaves no process and no file',
    async (command, ...words) => {
      const temporary = folderOfItsUser(join(room, 'tmp-'));
      const state = folderOfItsUser(join(room, 'state-'));
      const child = spawn(
        program,
        [...before, '--state-dir', state, ...command.split(' '), ...words],
        {
          env: { TMPDIR: temporary },
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      );
      end = () => child.kill('SIGKILL');
      const { pid = 0 } = child;
      const tracers = () => startedBy(pid).filter(({ comm }) => /^(?:bpftrace|perf)$/.test(comm));
      await expect.poll(tracers, { timeout: 60_000 }).not.toEqual([]);
      const all = startedBy(pid);
      child.kill('SIGINT');
      const [code] = await once(child, 'exit');
      expect(code).toBe(130);
      const left = () => all.filter((each) => isRunning(each.pid));
      await expect.poll(left, { timeout: 10_000 }).toEqual([]);
      expect(filesBelow(temporary)).toEqual([]);
      expect(filesBelow(state).filter((name) => !/^[a-z]+$/.test(name))).toEqual([]);
    },
    120_000,
  );
});
