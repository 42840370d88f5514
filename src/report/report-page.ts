import { findingsSection } from './findings.ts';
import { heatMap } from './heat-map.ts';
import { type Html, html } from './html.ts';
import { latencyChart } from './latency-chart.ts';
import { processTable } from './process-table.ts';
import type { ReportData } from './report-data.ts';
import { style } from './style.ts';
import { topologyMap } from './topology-map.ts';

type Section = Readonly<{ id: string; title: string; body: Html | null }>;

/**
 * A report as one HTML document that needs nothing else: no network, no script. Its policy lets a
 * browser load nothing and run nothing, whatever a process on the host calls itself.
 */
export function reportPage(data: ReportData): string {
  const sections = sectionsOf(data).filter(({ body }) => body !== null);
  const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
  const page = html`<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">
<title>Scheduler report of ${data.host}</title><style>${{ markup: style }}</style></head><body>
<header><h1>Scheduler report of ${data.host}</h1>
<p class="note">${headline(data)}</p>
<nav>${sections.map(({ id, title }) => html`<a href="#${id}">${title}</a>`)}</nav></header>
<main>${sections.map(
    ({ id, title, body }) => html`<section id="${id}"><h2>${title}</h2>${body}</section>
`,
  )}</main>
<footer class="note">Tracewright ${data.version}, ${data.made_at}.</footer></body></html>
`;
  return `<!doctype html>\n${page.markup}`;
}

function headline({ kernel, scheduler, seconds, topology }: ReportData): string {
  const cpus = topology === null ? [] : [`${topology.cpus.length} CPUs`];
  const scheduled = scheduler === null ? [] : [`scheduled by ${scheduler}`];
  const runs = kernel === null ? [] : [`Linux ${kernel}`];
  return [...runs, ...cpus, ...scheduled, `watched for ${seconds} s`].join(' · ');
}

function sectionsOf(data: ReportData): readonly Section[] {
  const { triage, topology, utilisation, latencies, processes, flame, missing } = data;
  return [
    { id: 'findings', title: 'Findings', body: triage && findingsSection(triage) },
    { id: 'topology', title: 'Topology', body: topology && topologyMap(topology, utilisation) },
    {
      id: 'utilisation',
      title: 'CPU use over time',
      body: utilisation && heatMap(utilisation, topology),
    },
    {
      id: 'latency',
      title: 'Latency',
      body: latencies.length === 0 ? null : html`${latencies.map(latencyChart)}`,
    },
    {
      id: 'processes',
      title: 'Top processes',
      body: processes && processTable(processes),
    },
    {
      id: 'flame',
      title: 'Flame graph',
      body: flame && picture(flame),
    },
    {
      id: 'missing',
      title: 'Not measured',
      body:
        missing.length === 0
          ? null
          : html`<ul>${missing.map(({ what, reason, fix }) => html`<li><b>${what}</b>: ${reason}${fix === null ? null : html` <code>${fix}</code>`}</li>`)}</ul>`,
    },
  ];
}

/** As an image: what an SVG document might run, an image does not. */
function picture({ title, svg }: NonNullable<ReportData['flame']>): Html {
  const bytes = new TextEncoder().encode(svg);
  const source = `data:image/svg+xml;base64,${base64(bytes)}`;
  return html`<img class="flame" alt="${title}" src="${{ markup: source }}">`;
}

function base64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
