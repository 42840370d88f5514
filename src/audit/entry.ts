/** One line of the audit file. What is not known is null. */
export type AuditEntry = Readonly<{
  time: string;
  decision: 'allowed' | 'refused' | 'lost';
  /** Process of the server. */
  server_pid: number;
  request: string | null;
  client: string | null;
  client_version: string | null;
  program: string | null;
  argv: readonly string[] | null;
  uid: number | null;
  exit_code: number | null;
  signal: string | null;
  /** Of its standard output, as far as it was read. */
  bytes: number | null;
  duration_ms: number | null;
  /** Why it was refused, or how it ended if not by itself. */
  reason: string | null;
  /** Lines before this one that could not be written. */
  lost?: number;
}>;

const blank = {
  request: null,
  client: null,
  client_version: null,
  program: null,
  argv: null,
  uid: null,
  exit_code: null,
  signal: null,
  bytes: null,
  duration_ms: null,
  reason: null,
};

export type EntryParts = Pick<AuditEntry, 'decision'> & Partial<AuditEntry>;

export const auditEntry = (time: Date, parts: EntryParts): AuditEntry => ({
  time: time.toISOString(),
  server_pid: process.pid,
  ...blank,
  ...parts,
});

/** Null for a torn line, or one that is something else. */
export function parseEntry(line: string): AuditEntry | null {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null) return null;
    if (!('time' in value) || typeof value.time !== 'string') return null;
    if (!('decision' in value) || Number.isNaN(Date.parse(value.time))) return null;
    return {
      server_pid: 0,
      ...blank,
      ...value,
      time: value.time,
      decision: kindOf(value.decision),
    };
  } catch {
    return null;
  }
}

const kindOf = (value: unknown): AuditEntry['decision'] =>
  value === 'refused' || value === 'lost' ? value : 'allowed';
