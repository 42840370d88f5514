import { writeFileSync } from 'node:fs';
import * as z from 'zod/v4';
import type { Context } from '../context.ts';
import { collectReport } from '../report/collect-report.ts';
import { reportPage } from '../report/report-page.ts';
import { wholeNumber } from '../resources/define-resource.ts';
import { checkArguments } from '../tools/define-tool.ts';
import { outFile, writeOut } from './out-file.ts';
import type { Tell } from './progress.ts';
import { shellCall } from './shell-call.ts';

const options = z.object({
  seconds: wholeNumber(1, 30).default(5).describe('1 to 30, default 5'),
  out: z.string().min(1).default('tracewright-report.html').describe('a file'),
});

/** `tracewright report`: one page for people, and where it is. */
export async function report(
  ctx: Context,
  given: Readonly<Record<string, unknown>>,
  json: boolean,
  progress: Tell,
): Promise<string> {
  const { seconds, out } = checkArguments('report', options, given, '--');
  const file = outFile(out);
  const data = await collectReport(ctx, seconds, shellCall(progress));
  const page = reportPage(data);
  writeOut(file, () => writeFileSync(file, page, { mode: 0o600 }));
  const missing = data.missing.map(({ what, reason }) => `not measured: ${what} (${reason})`);
  if (json) return JSON.stringify({ file, healthy: data.triage?.healthy ?? null, missing });
  return [data.triage?.words, ...missing, `Report: ${file}`].filter(Boolean).join('\n');
}
