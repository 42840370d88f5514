import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';

vi.setConfig({ testTimeout: 90_000 });

const room = mkdtempSync(join(tmpdir(), 'tracewright-people-'));
afterAll(() => rmSync(room, { recursive: true, force: true }));

function tracewright(...args: string[]) {
  return spawnSync(process.execPath, ['dist/cli.js', '--state-dir', room, ...args], {
    encoding: 'utf8',
    timeout: 80_000,
  });
}

describe('record', () => {
  test('says how long a recording can be', () => {
    const { stderr, status } = tracewright('record', '--seconds', '61');
    expect(status).toBe(2);
    expect(stderr).toContain('seconds (1 to 60');
  });

  test('attaches nothing where it is told not to', () => {
    const { stderr, status } = tracewright('record', '--read-only');
    expect(status).toBe(1);
    expect(stderr).toContain('read-only');
  });

  test('does not begin where its file cannot be written', () => {
    const begun_ms = Date.now();
    const { stderr, status } = tracewright('record', '--out', join(room, 'no/such/file'));
    expect(status).toBe(1);
    expect(stderr).toContain('cannot be written');
    expect(Date.now() - begun_ms).toBeLessThan(30_000);
  });
});

describe('report', () => {
  test('writes one page, also where nothing may be attached', () => {
    const file = join(room, 'report.html');
    const { stdout, status } = tracewright(
      'report',
      '--seconds',
      '1',
      '--read-only',
      '--out',
      file,
    );
    expect(status).toBe(0);
    expect(stdout.trim().split('\n').at(-1)).toBe(`Report: ${file}`);
    expect(readFileSync(file, 'utf8')).toMatch(
      /^<!doctype html>[\s\S]*CPU use over time[\s\S]*<\/html>\n$/,
    );
  });
});

test('an audit that was never written is told from one with nothing that fits', () => {
  const { stdout, status } = tracewright('audit', '--audit', join(room, 'none', 'audit.jsonl'));
  expect(status).toBe(0);
  expect(stdout).toMatch(/^There is no \S+audit\.jsonl: nothing was recorded there\./);
});

describe('captures', () => {
  test('of an empty folder are none', () => {
    const { stdout, status } = tracewright('captures', 'list');
    expect(status).toBe(0);
    expect(stdout).toBe('No capture is kept.\n');
  });

  test('that are not there cannot be deleted', () => {
    const { stderr, status } = tracewright('captures', 'delete', 'recording_00000000');
    expect(status).toBe(2);
    expect(stderr).toContain('There is no capture "recording_00000000"');
  });
});
