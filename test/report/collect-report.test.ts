import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Context } from '../../src/context.ts';
import { collectReport } from '../../src/report/collect-report.ts';
import { reportPage } from '../../src/report/report-page.ts';
import { hostAt } from '../fake-activity.ts';
import { fakeBpftrace } from '../fake-bpftrace.ts';
import { call, fakeHost, type HostFilesNow, scriptedContext } from '../fake-host.ts';

const idle: readonly HostFilesNow[] = [];
const busy = Array.from({ length: 40 }, (_, at) => hostAt(at + 2));

const context = (moments: readonly HostFilesNow[], parts: Partial<Context>): Context =>
  scriptedContext(
    fakeHost({ ...hostAt(1), 'proc/self/status': 'CapEff:\t000001ffffffffff\n' }),
    moments,
    parts,
  );

describe('latencies in a report', () => {
  test.each([
    ['no request ended', idle],
    ['requests ended', busy],
  ])('without a tracer are not measured, whether or not: %s', async (_, moments) => {
    const find: Context['find'] = () => ({ problem: 'missing', path: null });
    const report = await collectReport(context(moments, { find }), 1, call);
    expect(report.latencies).toEqual([]);
    const reasons = new Map(report.missing.map(({ what, reason }) => [what, reason]));
    expect(reasons.get('block I/O latency')).toBe('bpftrace is not installed.');
    expect(reasons.get('run queue latency')).toBe('bpftrace is not installed.');
  });

  test('of a tracer that saw none are told as none', async () => {
    const find: Context['find'] = (program) =>
      program.name === 'bpftrace'
        ? { path: '/usr/bin/bpftrace' }
        : { problem: 'missing', path: null };
    const start: Context['start'] = async (command, options) => {
      const tracer = fakeBpftrace([]);
      const running = await tracer.parts.start(command, options);
      setImmediate(() => {
        options?.onStdout?.(
          [
            '{"type": "attached_probes", "data": {"probes": 3}}',
            '{"type": "map", "data": {"@from": 1}}',
            '{"type": "map", "data": {"@until": 1000000001}}\n',
          ].join('\n'),
        );
        tracer.die();
      });
      return running;
    };
    const scripted = context(busy, { ...fakeBpftrace([]).parts, find, start });
    const ctx: Context = {
      ...scripted,
      // Time passes no faster than what was started does something.
      sleep: async (ms, signal) => {
        await nextTurn();
        await scripted.sleep(ms, signal);
      },
    };
    const report = await collectReport(ctx, 1, call);
    expect(report.latencies).toMatchObject([
      { of: 'waits', rows: [], count: 0, method: 'bpftrace' },
      { of: 'requests', rows: [], count: 0, method: 'bpftrace' },
    ]);
    expect(report.missing.map(({ what }) => what)).not.toContain('block I/O latency');
    expect(reportPage(report)).toContain('No requests in the window (bpftrace).');
  });
});
