import { type Style, styleFor } from './terminal.ts';

export type Row = Readonly<Record<string, unknown>>;

/** A column of text is cut to this before one is left out. */
const narrowest = 12;
const gap = 2;

type Column = Readonly<{
  name: string;
  cells: readonly string[];
  isNumeric: boolean;
  width: number;
}>;

/**
 * Rows of equal shape as a table that fits: the widest text is cut first, numbers never; columns that
 * still find no room are named below it.
 */
export function renderTable(
  rows: readonly Row[],
  width = Number.POSITIVE_INFINITY,
  style: Style = styleFor(false),
): string[] {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((name) =>
    rows.some((row) => row[name] !== null && row[name] !== undefined),
  );
  const columns = fitted(
    names.map((name) => columnOf(name, rows)),
    width,
  );
  let used = 0;
  const shown = columns.filter((column) => {
    used += column.width + gap;
    return used - gap <= width;
  });
  const head = shown
    .map((column) => padded(column, column.name))
    .join('  ')
    .trimEnd();
  const lines = rows.map((_, index) =>
    shown
      .map((column) => padded(column, column.cells[index] ?? ''))
      .join('  ')
      .trimEnd(),
  );
  const dropped = names.slice(shown.length);
  const note = dropped.length === 0 ? [] : [`(and, with --json: ${dropped.join(', ')})`];
  return [style.head(head), ...lines, ...note];
}

function columnOf(name: string, rows: readonly Row[]): Column {
  const cells = rows.map((row) => cell(row[name]));
  const isNumeric = rows.every(
    (row) => (typeof row[name] !== 'string' && typeof row[name] !== 'object') || row[name] === null,
  );
  const width = cells.reduce((most, each) => Math.max(most, each.length), name.length);
  return { name, cells, isNumeric, width };
}

/** Takes a character at a time from the widest column of text. */
function fitted(columns: readonly Column[], width: number): readonly Column[] {
  const widths = columns.map((column) => column.width);
  const total = (): number => widths.reduce((sum, each) => sum + each + gap, -gap);
  while (total() > width) {
    const room = columns.map(({ name, isNumeric }, index) => {
      const least = isNumeric ? Number.POSITIVE_INFINITY : Math.max(narrowest, name.length);
      return (widths[index] ?? 0) > least ? (widths[index] ?? 0) : 0;
    });
    const widest = room.indexOf(Math.max(...room));
    if ((room[widest] ?? 0) === 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return columns.map((column, index) => ({ ...column, width: widths[index] ?? column.width }));
}

function padded({ width, isNumeric }: Column, text: string): string {
  const cut = text.length <= width ? text : `${text.slice(0, width - 1)}…`;
  return isNumeric ? cut.padStart(width) : cut.padEnd(width);
}

/** Lists and objects are whole with --json alone. */
const most_json = 60;

/** A value on one line. */
export function cell(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (typeof value !== 'object') return String(value);
  const json = JSON.stringify(value);
  return json.length <= most_json ? json : `${json.slice(0, most_json - 1)}…`;
}
