import { type Html, html } from './html.ts';
import type { ReportProcess } from './report-data.ts';

/** The processes that used CPUs most, as they came. */
export function processTable(processes: readonly ReportProcess[]): Html {
  const most = Math.max(1, ...processes.map(({ cpu_pct }) => cpu_pct ?? 0));
  const rows = processes.map((each) => {
    const share = (each.cpu_pct ?? 0) / most;
    return html`<tr><td class="name" title="${each.cmdline ?? each.comm}">${each.comm}<small>${each.pid}</small></td>
<td class="share"><span style="--share:${share.toFixed(3)}"></span><b>${percent(each.cpu_pct)}</b></td>
<td>${percent(each.wait_pct)}</td><td>${number(each.switches_per_s)}</td><td>${each.threads}</td><td>${megabytes(each.rss_bytes)}</td></tr>`;
  });
  return html`<div class="wide"><table class="processes"><thead><tr><th>process</th><th>CPU (100 % is one CPU)</th><th>waited for one</th><th>switches/s</th><th>threads</th><th>memory</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

const number = (value: number | null): string => (value === null ? '–' : value.toFixed(1));

const percent = (value: number | null): string => (value === null ? '–' : `${number(value)} %`);

const megabytes = (bytes: number | null): string =>
  bytes === null ? '–' : `${(bytes / 2 ** 20).toFixed(0)} MiB`;
