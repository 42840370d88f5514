import { completeLines } from '../lines.ts';
import { type Parsed, ParseError, type ParseWarning, warn } from '../parsed.ts';

/** Null: unlimited. */
export type Limit = Readonly<{ soft: number | null; hard: number | null; unit: string | null }>;

/**
 * /proc/PID/limits (fs/proc/base.c, proc_pid_limits): columns of fixed width, found by the header.
 *
 *     Limit                     Soft Limit           Hard Limit           Units
 *     Max open files            1024                 524288               files
 *
 * Limits come by their name ("Max open files"). A row of another form becomes a warning. Without the
 * header: ParseError.
 */
export function parsePidLimits(text: string): Parsed<Readonly<Record<string, Limit>>> {
  const [header = '', ...rows] = completeLines(text);
  const soft = header.indexOf('Soft Limit');
  const hard = header.indexOf('Hard Limit');
  const unit = header.indexOf('Units');
  if (soft < 1 || hard < soft || unit < hard) throw new ParseError('no header of limits', 1);
  const warnings: ParseWarning[] = [];
  const limits: [string, Limit][] = [];
  for (const [index, row] of rows.entries()) {
    const values = [row.slice(soft, hard), row.slice(hard, unit)].map((each) => each.trim());
    if (!values.every((each) => /^(?:\d+|unlimited)$/.test(each))) {
      warnings.push(warn(index + 2, 'not a limit', row));
      continue;
    }
    const [softLimit = null, hardLimit = null] = values.map((each) =>
      each === 'unlimited' ? null : Number(each),
    );
    const units = row.slice(unit).trim();
    limits.push([
      row.slice(0, soft).trim(),
      { soft: softLimit, hard: hardLimit, unit: units === '' ? null : units },
    ]);
  }
  return { data: Object.fromEntries(limits), warnings };
}
