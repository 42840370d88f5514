import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { createContext } from '../../src/context.ts';
import { collectReport } from '../../src/report/collect-report.ts';
import type { ReportData } from '../../src/report/report-data.ts';
import { reportPage } from '../../src/report/report-page.ts';
import { call } from '../stepped-context.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

describe('a report on this host without the rights of root', () => {
  let report: ReportData;

  beforeAll(async () => {
    const ctx = createContext({ daemon: false, readOnly: true });
    report = await collectReport({ ...ctx, uid: 65_534 }, 1, call);
  });

  test('shows what files tell', () => {
    const online = readFileSync('/proc/stat', 'utf8').match(/^cpu\d+/gm) ?? [];
    expect(report.utilisation?.cpus.size).toBe(online.length);
    expect(report.topology?.cpus.length).toBe(online.length);
    expect(availableParallelism()).toBeLessThanOrEqual(online.length);
    for (const row of report.utilisation?.cpus.values() ?? []) {
      expect(row.length).toBe(report.utilisation?.times_ms.length);
      for (const pct of row) expect(pct ?? 0).toBeLessThanOrEqual(100);
    }
    expect(report.processes?.length).toBeGreaterThan(3);
    expect(report.triage?.words).toMatch(/\w/);
  });

  test('says what it cannot measure, and why', () => {
    expect(report.latencies).toEqual([]);
    const missing = report.missing.map(({ what }) => what);
    expect(missing.toSorted()).toEqual(['CPU profile', 'block I/O latency', 'run queue latency']);
    for (const { reason } of report.missing) expect(reason).toMatch(/root|read-only/);
    expect(reportPage(report)).toContain('Not measured');
  });
});
