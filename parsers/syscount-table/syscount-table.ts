/** Calls of one system call, or of one process. */
export type SyscountRow = Readonly<{
  name: string;
  pid: number | null;
  count: number;
  total_us: number | null;
}>;

const units: Readonly<Record<string, number>> = { us: 1, ms: 1000 };

/**
 * What syscount of libbpf-tools and of BCC prints; checked with 0.26.
 *
 *     SYSCALL                   COUNT        TIME (us)
 *     clock_nanosleep               2      2000119.936
 *
 *     PID    COMM               COUNT
 *     32077  python3             2538
 *
 * Lines above the heading and others that are no rows are skipped.
 */
export function parseSyscountTable(text: string): readonly SyscountRow[] {
  let perProcess = false;
  let inTable = false;
  let unit_us = 1;
  const rows: SyscountRow[] = [];
  for (const line of text.split('\n')) {
    const heading = /^(SYSCALL|PID\s+COMM)\s+COUNT(?:\s+TIME \((us|ms)\))?\s*$/.exec(line);
    if (heading) {
      inTable = true;
      perProcess = heading[1] !== 'SYSCALL';
      unit_us = units[heading[2] ?? 'us'] ?? 1;
    } else if (inTable) {
      const row = readRow(line, perProcess, unit_us);
      if (row) rows.push(row);
    }
  }
  return rows;
}

function readRow(line: string, perProcess: boolean, unit_us: number): SyscountRow | null {
  const pattern = perProcess
    ? /^(\d{1,20})(?:\s+(\S+(?:\s+\S+)*?))?\s+(\d{1,20})(?:\s+(\d[\d.]{0,30}))?$/
    : /^()(\S+(?:\s+\S+)*?)\s+(\d{1,20})(?:\s+(\d[\d.]{0,30}))?$/;
  const [, pid, name = '', count, time] = pattern.exec(line) ?? [];
  const total_us = time === undefined ? null : Number(time) * unit_us;
  if (count === undefined || Number.isNaN(total_us)) return null;
  return {
    name,
    pid: perProcess ? Number(pid) : null,
    count: Number(count),
    total_us,
  };
}
