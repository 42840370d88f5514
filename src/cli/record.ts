import { copyFileSync } from 'node:fs';
import * as z from 'zod/v4';
import { envelope } from '../answer.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import { openWith, recordTrace } from '../recordings/record-trace.ts';
import { wholeNumber } from '../resources/define-resource.ts';
import { checkArguments } from '../tools/define-tool.ts';
import { outFile } from './out-file.ts';
import { renderAnswer } from './render.ts';

const options = z.object({
  seconds: wholeNumber(1, 60).default(5).describe('1 to 60, default 5'),
  pid: wholeNumber(1, 4_194_304).optional().describe('a process'),
  out: z.string().min(1).optional().describe('a file'),
});

/** `tracewright record`: a recording that is kept, with a copy where the person wants one. */
export async function record(
  ctx: Context,
  given: Readonly<Record<string, unknown>>,
  json: boolean,
): Promise<string> {
  const { seconds, pid, out } = checkArguments('record', options, given);
  const file = out === undefined ? null : outFile(out);
  const started_ms = ctx.monotonicMs();
  const call: Call = { signal: new AbortController().signal, progress: () => {} };
  const reading = await recordTrace(ctx, { duration_seconds: seconds, pid: pid ?? null }, call);
  if (file !== null) copyTo(reading.data.path, file);
  const answer = envelope('record', reading, ctx, started_ms);
  if (json) return JSON.stringify(file === null ? answer : { ...answer, file });
  if (file === null) return renderAnswer(answer);
  const figures = reading.summary.filter((line) => !/^(?:File|Open)/.test(line));
  const warnings = (answer.warnings ?? []).map((warning) => `warning: ${warning}`);
  return [...figures, ...warnings, `File: ${file}`, `Open it with ${openWith(file)}`].join('\n');
}

function copyTo(from: string, to: string): void {
  try {
    copyFileSync(from, to);
  } catch (error) {
    throw notCopied(from, to, error);
  }
}

function notCopied(from: string, to: string, error: unknown): TracewrightError {
  const reason = error instanceof Error ? error.message : String(error);
  return new TracewrightError(
    'EXECUTION_FAILED',
    `The recording could not be copied to ${to}: ${reason}`,
    `It is kept: cp ${from} SOMEWHERE`,
    error,
  );
}
