import { copyFileSync } from 'node:fs';
import * as z from 'zod/v4';
import { envelope } from '../answer.ts';
import type { Context } from '../context.ts';
import { openWith, recordTrace } from '../recordings/record-trace.ts';
import { wholeNumber } from '../resources/define-resource.ts';
import { checkArguments } from '../tools/define-tool.ts';
import { outFile, writeOut } from './out-file.ts';
import type { Tell } from './progress.ts';
import { renderAnswer } from './render.ts';
import { shellCall } from './shell-call.ts';

const options = z.object({
  seconds: wholeNumber(1, 60).default(5).describe('1 to 60, default 5'),
  pid: wholeNumber(1, 4_194_304).optional().describe('a process'),
  'sample-hz': wholeNumber(1, 999).optional().describe('1 to 999'),
  out: z.string().min(1).optional().describe('a file'),
});

/** `tracewright record`: a recording that is kept, with a copy where the person wants one. */
export async function record(
  ctx: Context,
  given: Readonly<Record<string, unknown>>,
  json: boolean,
  progress: Tell,
): Promise<string> {
  const { seconds, pid, out, 'sample-hz': hz } = checkArguments('record', options, given, '--');
  const file = out === undefined ? null : outFile(out);
  const started_ms = ctx.monotonicMs();
  const query = { duration_seconds: seconds, pid: pid ?? null, sample_hz: hz ?? null };
  const reading = await recordTrace(ctx, query, shellCall(progress));
  if (file !== null) copy(reading.data.path, file);
  const answer = envelope('record', reading, ctx, started_ms);
  if (json) return JSON.stringify(file === null ? answer : { ...answer, file });
  if (file === null) return renderAnswer(answer);
  const figures = reading.summary.filter((line) => !/^(?:File|Open)/.test(line));
  const warnings = (answer.warnings ?? []).map((warning) => `warning: ${warning}`);
  return [...figures, ...warnings, `File: ${file}`, `Open it with ${openWith(file)}`].join('\n');
}

const copy = (kept: string, file: string): void =>
  writeOut(file, () => copyFileSync(kept, file), `The recording is kept: cp ${kept} SOMEWHERE`);
