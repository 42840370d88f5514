import { describe, expect, test } from 'vitest';
import { heatMap } from '../../src/report/heat-map.ts';
import { html } from '../../src/report/html.ts';
import { time } from '../../src/report/latency-chart.ts';
import { reportPage } from '../../src/report/report-page.ts';
import { hostile, sampleReport } from './sample-report.ts';

describe('html', () => {
  test('escapes values in text and in attributes, and leaves what it made', () => {
    const inner = html`<b>${'<'}</b>`;
    expect(html`<i title="${'"\'&'}">${inner}${[1, 'a>']}${null}</i>`.markup).toBe(
      '<i title="&quot;&#39;&amp;"><b>&lt;</b>1a&gt;</i>',
    );
  });

  test('shows control characters and marks that turn text around as what they are', () => {
    expect(html`${hostile.control}`.markup).toBe('a\ufffdb\ufffd[31mc\ufffdd');
  });

  test('cuts names that are longer than any name is', () => {
    expect(html`${hostile.long}`.markup.length).toBeLessThan(700);
  });
});

describe('the page', () => {
  const page = reportPage(sampleReport);

  test('has no markup that came from the host', () => {
    expect(page).not.toMatch(/<script|<img src=x|onmouseover="|<h1>forged/);
  });

  test('asks for nothing from elsewhere', () => {
    expect(page.match(/(?:src|href)="(?!#|data:)[^"]*"/g)).toBeNull();
    expect(page).not.toMatch(/url\(|@import/);
    expect(page).toContain('default-src &#39;none&#39;');
  });

  test('leaves out what was not measured, and says so', () => {
    const missing = [{ what: 'run queue latency', reason: 'Only root may.', fix: null }];
    const bare = reportPage({
      ...sampleReport,
      topology: null,
      utilisation: null,
      latencies: [],
      processes: null,
      triage: null,
      flame: null,
      missing,
    });
    expect(bare.match(/<h2>[^<]*/g)).toEqual(['<h2>Not measured']);
    expect(bare).toContain('<b>run queue latency</b>: Only root may.');
  });
});

describe('the heat map', () => {
  const rows = ({ markup }: { markup: string }): string[] =>
    [...markup.matchAll(/<text class="row[^>]*>([^<]*)/g)].map(([, label = '']) => label);

  test('has a row for each node, the caches in it, and the CPUs that share them', () => {
    const { utilisation, topology } = sampleReport;
    const labels = rows(heatMap(utilisation!, topology));
    expect(labels.slice(0, 4)).toEqual(['Node 0', 'LLC 0', 'CPU 0', 'CPU 1']);
    expect(labels.filter((label) => label.startsWith('LLC'))).toEqual([
      'LLC 0',
      'LLC 1',
      'LLC 2',
      'LLC 3',
    ]);
    expect(labels).toHaveLength(2 + 4 + 32);
  });

  test('of a machine with many CPUs keeps to nodes and caches', () => {
    const cpus = new Map(Array.from({ length: 512 }, (_, cpu) => [cpu, [50]] as const));
    const { topology } = sampleReport;
    const all = [...cpus.keys()];
    const large = {
      ...topology!,
      nodes: [{ id: 0, cpus: all, distances: [10], memory_bytes: null }],
      llcs: Array.from({ length: 64 }, (_, id) => ({
        ...topology!.llcs[0]!,
        id,
        cpus: all.slice(id * 8, id * 8 + 8),
      })),
    };
    expect(rows(heatMap({ times_ms: [250], cpus }, large))).toHaveLength(65);
  });

  test('shows a CPU that nothing is known of as not known', () => {
    const { markup } = heatMap({ times_ms: [250], cpus: new Map([[0, [null]]]) }, null);
    expect(markup).toContain('CPU 0, 0.3 s: not known');
    expect(markup).toContain('class="none"');
  });
});

test('times have the unit that a person would say', () => {
  expect([1, 999, 1500, 32_768, 3_400_000].map(time)).toEqual([
    '1 µs',
    '999 µs',
    '1.5 ms',
    '33 ms',
    '3.4 s',
  ]);
});
