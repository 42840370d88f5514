import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { isRunning } from '../exec/commands.ts';
import { noTracing } from './traced-load.ts';

const room = mkdtempSync(join(tmpdir(), 'tracewright-interrupted-'));
afterAll(() => rmSync(room, { recursive: true, force: true }));

let end = (): void => {};
afterEach(() => end());

/** The processes below one, children before their own. */
function descendants(pid: number): readonly Readonly<{ pid: number; comm: string }>[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    return children.filter(Boolean).flatMap((child) => {
      const comm = readFileSync(`/proc/${child}/comm`, 'utf8').trim();
      return [{ pid: Number(child), comm }, ...descendants(Number(child))];
    });
  } catch {
    // It ended meanwhile.
    return [];
  }
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
      const temporary = mkdtempSync(join(room, 'tmp-'));
      const state = join(mkdtempSync(join(room, 'state-')), 'captures');
      mkdirSync(state, { mode: 0o700 });
      const child = spawn(
        process.execPath,
        ['dist/cli.js', '--state-dir', state, ...command.split(' '), ...words],
        {
          env: { TMPDIR: temporary },
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      );
      end = () => child.kill('SIGKILL');
      const { pid = 0 } = child;
      const tracers = () => descendants(pid).filter(({ comm }) => /^(?:bpftrace|perf)$/.test(comm));
      await expect.poll(tracers, { timeout: 60_000 }).not.toEqual([]);
      const all = descendants(pid);
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
