import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { programs } from '../../allowlist/programs.ts';
import {
  type BpfStats,
  bpf_stats,
  isAbandoned,
  mark,
  putBackAbandoned,
} from '../../src/daemon/bpf-stats-marker.ts';
import { bpfStatsWindow } from '../../src/daemon/bpf-stats-window.ts';
import { findProgram } from '../../src/exec/resolve-program.ts';
import { killProcess } from '../kill-process.ts';
import { connect } from '../server/stdio.ts';

let room: string;
let stats: BpfStats;
beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), 'tracewright-bpf-stats-'));
  stats = { setting: join(room, 'setting'), folder: join(room, 'run') };
  writeFileSync(stats.setting, '1');
});
afterEach(() => rmSync(room, { recursive: true, force: true }));

const setting = (): string => readFileSync(stats.setting, 'utf8');
const marker = (): string => join(stats.folder, 'bpf-stats');

/** As of a process with this id that began at another time. */
function leaveMarker(): void {
  mark(stats);
  writeFileSync(marker(), `${process.pid} 1\n`);
}

test('a setting whose process was killed is put back, and its marker goes', () => {
  leaveMarker();
  putBackAbandoned(stats);
  expect(setting()).toBe('0');
  expect(existsSync(marker())).toBe(false);
});

test('a setting that somebody else switched on, or whose process runs, stays', () => {
  putBackAbandoned(stats);
  expect(setting()).toBe('1');
  mark(stats);
  expect(isAbandoned(stats)).toBe(false);
  putBackAbandoned(stats);
  expect(setting()).toBe('1');
});

test('a marker that is a link is not believed', () => {
  leaveMarker();
  const elsewhere = join(room, 'elsewhere');
  writeFileSync(elsewhere, readFileSync(marker()));
  rmSync(marker());
  symlinkSync(elsewhere, marker());
  putBackAbandoned(stats);
  expect(setting()).toBe('1');
});

test('a window that finds the setting of one that was killed puts it back at its end', async () => {
  leaveMarker();
  await bpfStatsWindow(1, stats);
  expect(setting()).toBe('0');
  expect(existsSync(marker())).toBe(false);
});

test('a window goes on where its marker cannot be written', async () => {
  writeFileSync(stats.setting, '0');
  writeFileSync(stats.folder, '');
  await bpfStatsWindow(1, stats);
  expect(setting()).toBe('0');
});

const enabled = (): string => readFileSync(bpf_stats.setting, 'utf8').trim();
const hasBpftool = !('problem' in findProgram(programs.bpftool));
const isMine = process.geteuid?.() === 0 && existsSync(bpf_stats.setting) && enabled() === '0';

describe.skipIf(!isMine)('on this host (needs root and kernel.bpf_stats_enabled=0)', () => {
  test('the next start of a server puts back what SIGKILL left', { timeout: 60_000 }, async () => {
    const window = spawn(process.execPath, ['dist/cli.js', 'internal-bpf-stats', '60000']);
    try {
      await once(window.stdout, 'data');
      expect(enabled()).toBe('1');
    } finally {
      window.kill('SIGKILL');
      await once(window, 'exit');
    }
    expect(enabled()).toBe('1');
    const server = connect(['mcp']);
    await expect.poll(enabled, { timeout: 20_000 }).toBe('0');
    await expect.poll(() => isAbandoned(bpf_stats), { timeout: 20_000 }).toBe(false);
    server.close();
  });

  test.skipIf(!hasBpftool)(
    'a server that lives puts it back at once (needs bpftool)',
    { timeout: 60_000 },
    async () => {
      const server = connect(['mcp']);
      const answer = server.read('bpf://programs?stats_ms=3000');
      const owner = (): number => {
        try {
          return Number(readFileSync(join(bpf_stats.folder, 'bpf-stats'), 'utf8').split(' ')[0]);
        } catch {
          return 0;
        }
      };
      await expect.poll(() => (enabled() === '1' ? owner() : 0), { timeout: 20_000 }).not.toBe(0);
      killProcess(owner());
      await answer;
      expect(enabled()).toBe('0');
      server.close();
    },
  );
});
