import { inspect } from 'node:util';

type Row = Readonly<Record<string, unknown>>;

/** Fields that say how something was measured: shown last, on one line each. */
const measured = ['source', 'window_ms', 'timestamp', 'host', 'duration_ms', 'lost_events'];
const max_cell = 48;

/** An answer as text for a terminal: the summary, then the data, then how it was measured. */
export function renderAnswer(answer: object, width = process.stdout.columns || 120): string {
  const { summary, unavailable, warnings, success, tool, tool_version, data, ...rest } =
    answer as Row;
  const body = isRecord(data) ? { ...data, ...rest } : rest;
  const facts = Object.entries(body).filter(([name]) => !measured.includes(name));
  return [
    ...texts(summary),
    '',
    ...facts.flatMap(([name, value]) => renderField(name, value, width)),
    ...measured.flatMap((name) => (name in body ? [`${name}: ${scalar(body[name])}`] : [])),
    ...texts(warnings).map((warning) => `warning: ${warning}`),
    ...records(unavailable).map(renderUnavailable),
  ]
    .join('\n')
    .trim();
}

/** Rows of equal shape as a table, no wider than the terminal. */
export function renderTable(rows: readonly Row[], width = 120): string[] {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((name) =>
    rows.some((row) => row[name] !== null && row[name] !== undefined),
  );
  const widest = [max_cell, 32, 20].find((most) => tableWidth(rows, names, most) <= width) ?? 20;
  const columns = names.map((name) => {
    const cells = rows.map((row) => cell(row[name], widest));
    const longest = Math.max(name.length, ...cells.map((each) => each.length));
    const numeric = rows.every((row) => typeof row[name] !== 'string');
    const pad = (text: string): string => (numeric ? text.padStart(longest) : text.padEnd(longest));
    return { lines: [pad(name), ...cells.map(pad)], longest };
  });
  let used = 0;
  const fitting = columns.filter(({ longest }) => {
    used += longest + 2;
    return used <= width;
  });
  const dropped = names.slice(fitting.length);
  const lines = Array.from({ length: rows.length + 1 }, (_, index) =>
    fitting
      .map(({ lines }) => lines[index])
      .join('  ')
      .trimEnd(),
  );
  return dropped.length === 0 ? lines : [...lines, `(and, with --json: ${dropped.join(', ')})`];
}

function renderField(name: string, value: unknown, width: number): string[] {
  if (value === null || value === undefined) return [];
  const rows = records(value);
  if (rows.length > 0) return [`${name}:`, ...renderTable(rows, width).map(indent), ''];
  if (Array.isArray(value))
    return value.length === 0 ? [] : [`${name}: ${value.map((each) => cell(each)).join(', ')}`];
  if (!isRecord(value)) return [`${name}: ${scalar(value)}`];
  const inner = Object.entries(value).flatMap(([key, each]) => renderField(key, each, width - 2));
  return inner.length === 0 ? [] : [`${name}:`, ...inner.map(indent)];
}

const renderUnavailable = ({ what, reason, fix }: Row): string =>
  `not available: ${what} (${reason})${fix ? `\n  fix: ${fix}` : ''}`;

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

/** How wide the table is when no cell is wider than `most`. */
function tableWidth(rows: readonly Row[], names: readonly string[], most: number): number {
  const widths = names.map((name) =>
    Math.max(name.length, ...rows.map((row) => cell(row[name], most).length)),
  );
  return widths.reduce((sum, each) => sum + each + 2, 0);
}

function cell(value: unknown, most = max_cell): string {
  if (value === null || value === undefined) return '-';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
