import { generated, table } from './markdown.ts';

/** provenance.txt of a recorded fixture, with the name of its format. */
export type Recording = Readonly<{ format: string; provenance: string }>;
/** A suite of the lab: its name and the titles of its tests. */
export type Suite = Readonly<{ name: string; titles: readonly string[] }>;

/** docs/compatibility.md: which kernels and tools the tests have seen. */
export function compatibilityPage(
  recordings: readonly Recording[],
  suites: readonly Suite[],
): string {
  const all = recordings.map(({ format, provenance }) => ({
    format,
    kernel: lineOf(provenance, 'kernel')?.split(/[,-]/)[0] ?? null,
    tool: lineOf(provenance, 'tool'),
    distro: lineOf(provenance, 'distro')?.split(',')[0] ?? null,
  }));
  const tools = all.filter(({ tool }) => tool !== null && !isReader(tool));
  return [
    generated,
    '# Compatibility',
    '',
    'What the tests have seen. Other versions may well work; `tracewright doctor` says what does on a host.',
    '',
    '## Kernels',
    '',
    'Files and outputs that the parsers are tested with were recorded on:',
    '',
    table(
      ['Kernel', 'Distribution', 'Formats', 'Recordings'],
      groups(all, ({ kernel, distro }) => (kernel ? `${kernel}|${distro ?? ''}` : null)).map(
        ([key, rows]) => [...key.split('|'), String(formats(rows).length), String(rows.length)],
      ),
    ),
    '',
    '## Programs',
    '',
    table(
      ['Program', 'Kernels', 'Formats'],
      groups(tools, ({ tool }) => tool).map(([tool, rows]) => [
        tool,
        unique(rows.flatMap(({ kernel }) => kernel ?? [])).join(', '),
        formats(rows).join(', '),
      ]),
    ),
    '',
    '## The lab',
    '',
    '`npm run lab` installs the package in virtual machines with sched_ext, kprobes and fentry (Debian 13 with kernel',
    '6.18, or `--kernel 7`) and has it measure what the tests provoke there:',
    '',
    ...suites.flatMap(({ name, titles }) => [`- **${name}**: ${titles.join('; ')}.`]),
    '',
  ].join('\n');
}

type Row = Readonly<{
  format: string;
  kernel: string | null;
  tool: string | null;
  distro: string | null;
}>;

/** What only copied a file of the kernel. */
const isReader = (tool: string): boolean =>
  /^(?:cat|head|grep|find|bash|unshare|setpriv) /.test(tool);

const lineOf = (text: string, name: string): string | null =>
  new RegExp(`^${name}: (.+)$`, 'm').exec(text)?.[1]?.trim() ?? null;

const unique = (values: readonly string[]): string[] => [...new Set(values)].sort();
const formats = (rows: readonly Row[]): string[] => unique(rows.map(({ format }) => format));

function groups(rows: readonly Row[], keyOf: (row: Row) => string | null): [string, Row[]][] {
  const found = new Map<string, Row[]>();
  for (const row of rows) {
    const key = keyOf(row);
    if (key !== null) found.set(key, [...(found.get(key) ?? []), row]);
  }
  return [...found].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
}
