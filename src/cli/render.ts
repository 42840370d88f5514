import { inspect } from 'node:util';
import { atShell } from './at-shell.ts';
import { cell, type Row, renderTable } from './table.ts';
import { ownStyle, type Style, widthOf } from './terminal.ts';

/** Fields that say how something was measured: shown last, on one line each. */
const measured = ['source', 'window_ms', 'timestamp', 'host', 'duration_ms', 'lost_events'];

/** An answer as text for a terminal: the summary, then the data, then how it was measured. */
export function renderAnswer(
  answer: object,
  width = widthOf(process.stdout),
  style = ownStyle(),
): string {
  const { summary, unavailable, warnings, success, tool, tool_version, data, ...rest } =
    answer as Row;
  const body = isRecord(data) ? { ...data, ...rest } : rest;
  const facts = Object.entries(body).filter(([name]) => !measured.includes(name));
  return [
    ...texts(summary),
    '',
    ...facts.flatMap(([name, value]) => renderField(name, value, width, style)),
    ...measured.flatMap((name) =>
      name in body ? [style.faint(`${name}: ${scalar(body[name])}`)] : [],
    ),
    ...texts(warnings).map((warning) => `${style.poor('warning:')} ${warning}`),
    ...records(unavailable).map((each) => renderUnavailable(each, style)),
  ]
    .join('\n')
    .trim();
}

function renderField(name: string, value: unknown, width: number, style: Style): string[] {
  if (value === null || value === undefined) return [];
  const rows = records(value);
  if (rows.length > 0) return [`${name}:`, ...renderTable(rows, width - 2, style).map(indent), ''];
  const sentences = texts(value).filter((each) => each.endsWith('.'));
  if (sentences.length > 0) return [`${name}:`, ...texts(value).map(indent)];
  if (Array.isArray(value))
    return value.length === 0 ? [] : [`${name}: ${value.map((each) => cell(each)).join(', ')}`];
  if (!isRecord(value)) return [`${name}: ${scalar(value)}`];
  const inner = Object.entries(value).flatMap(([key, each]) =>
    renderField(key, each, width - 2, style),
  );
  return inner.length === 0 ? [] : [`${name}:`, ...inner.map(indent)];
}

const renderUnavailable = ({ what, reason, fix }: Row, style: Style): string =>
  `${style.poor('not available:')} ${what} (${reason})${fix ? `\n  fix: ${atShell(String(fix))}` : ''}`;

const indent = (line: string): string => (line === '' ? '' : `  ${line}`);

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];

const records = (value: unknown): Row[] =>
  Array.isArray(value) && value.every(isRecord) ? value : [];

function isRecord(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function scalar(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value);
}
