import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { untrusted } from '../../parsers/untrusted.ts';
import { auditLines, usualAuditFile } from '../audit/audit-file.ts';
import { type AuditEntry, parseEntry } from '../audit/entry.ts';
import type { Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';

const units = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
/** Without --json, which has all. */
const most_rows = 200;

/** `tracewright audit`: the file of this user, or that of --audit FILE, with those that it rotated to. */
export function showAudit(
  ctx: Context,
  values: Readonly<Record<string, unknown>>,
  json: boolean,
): string {
  const { audit, since, refused } = values;
  if (audit === 'journald') {
    throw new TracewrightError(
      'INVALID_PARAMS',
      'What went to journald is read with its own program.',
      'journalctl -t tracewright -o cat',
    );
  }
  const named = typeof audit === 'string' && audit !== 'file' && audit !== 'none';
  const path = named ? resolve(audit) : usualAuditFile(ctx.settings.stateFolder);
  const from_ms =
    typeof since === 'string' ? beginning(since, ctx.now()) : Number.NEGATIVE_INFINITY;
  const chosen: AuditEntry[] = [];
  let torn = 0;
  for (const line of auditLines(path)) {
    const entry = parseEntry(line);
    if (entry === null) torn += line === '' ? 0 : 1;
    else if (Date.parse(entry.time) >= from_ms && (!refused || entry.decision === 'refused')) {
      chosen.push(entry);
    }
  }
  if (json) return chosen.map((entry) => JSON.stringify(entry)).join('\n');
  return listing(path, chosen, torn).join('\n');
}

function beginning(since: string, now: Date): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(since) ?? [];
  if (count !== undefined && (unit === 's' || unit === 'm' || unit === 'h' || unit === 'd')) {
    return now.getTime() - Number(count) * units[unit];
  }
  const date = Date.parse(since);
  if (!Number.isNaN(date)) return date;
  throw new TracewrightError(
    'INVALID_PARAMS',
    `--since: "${since.slice(0, 40)}" is neither a time nor a date.`,
    'Example: tracewright audit --since 2h, or --since 2026-01-31T12:00',
  );
}

function listing(path: string, entries: readonly AuditEntry[], torn: number): string[] {
  if (entries.length === 0) {
    return existsSync(path)
      ? [`${path}: nothing that fits.`, ...tornNote(torn)]
      : [`There is no ${path}: nothing was recorded there. --audit file has a server record it.`];
  }
  const shown = entries.slice(-most_rows);
  const left_out = entries.length - shown.length;
  return [
    ...shown.map(inWords),
    ...(left_out === 0 ? [] : [`${left_out} earlier ones: --json shows all.`]),
    ...tornNote(torn),
  ];
}

const tornNote = (torn: number): string[] =>
  torn === 0 ? [] : [`${torn} lines are torn and were left out.`];

/** One line each: a table would cut what was run. */
function inWords(entry: AuditEntry): string {
  const { time, decision, request, client, program, argv, uid, exit_code, signal, reason } = entry;
  const asked = request === null ? 'the server' : `${request} (${client ?? 'nobody named'})`;
  const ran =
    decision === 'lost' ? `${entry.lost} lines were lost` : [program, ...(argv ?? [])].join(' ');
  const ended = [
    ...(uid === null ? [] : [`uid ${uid}`]),
    ...(signal === null ? [] : [signal]),
    ...(exit_code === null ? [] : [`exit ${exit_code}`]),
    ...(entry.duration_ms === null ? [] : [`${entry.duration_ms} ms`]),
    ...(reason === null ? [] : [reason]),
  ];
  return untrusted(`${time} ${decision} ${asked}: ${ran.trim()} [${ended.join(', ')}]`, 1000);
}
