import { type Html, html } from './html.ts';
import type { Triage } from './report-data.ts';

/** What explains the figures, likeliest first, and the figures that stand out. */
export function findingsSection({ healthy, words, causes, findings }: Triage): Html {
  const list = causes.map(
    (cause) => html`<article class="finding ${cause.severity}"><h3>${cause.title}</h3>
<p>${cause.description}</p>
<p class="note">${cause.severity}, confidence ${cause.confidence} %${cause.contradicting.length === 0 ? null : html`; against it: ${cause.contradicting.join(', ')}`}</p>
<ul>${cause.suggestedActions.map((action) => html`<li>${action}</li>`)}</ul></article>`,
  );
  const rows = findings.map(
    (each) =>
      html`<tr><td class="sign ${each.severity}">${each.severity}</td><td class="text">${each.title}</td><td>${each.value}</td><td>${each.threshold}</td><td class="text">${each.source}</td></tr>`,
  );
  return html`<p class="verdict ${healthy === null ? 'note' : healthy ? 'good' : 'bad'}">${words}</p>${list}
${rows.length === 0 ? null : html`<div class="wide"><table><thead><tr><th></th><th class="text">finding</th><th>value</th><th>threshold</th><th class="text">measured by</th></tr></thead><tbody>${rows}</tbody></table></div>`}`;
}
