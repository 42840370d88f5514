import { completeLines } from '../lines.ts';
import { type Parsed, type ParseWarning, warn } from '../parsed.ts';

/** Counts at this moment by protocol (sockets, TCP, UDP, RAW, FRAG; TCP6 … in sockstat6) and name. */
export type SockStat = Readonly<Record<string, Readonly<Record<string, number>>>>;

/**
 * `/proc/net/sockstat` and `/proc/net/sockstat6` (net/ipv4/proc.c, net/ipv6/proc.c):
 *
 *     TCP: inuse 2 orphan 0 tw 2 alloc 2 mem 162
 *     UDP6: inuse 0
 *
 * `inuse`, `tw` and `orphan` are those of the reader's network namespace; `alloc` and `mem` (pages)
 * those of the whole host. TCP `alloc` and `tw` count IPv6 too. A line of another form becomes a
 * warning.
 */
export function parseSockStat(text: string): Parsed<SockStat> {
  const warnings: ParseWarning[] = [];
  const protocols: [string, Record<string, number>][] = [];
  for (const [index, line] of completeLines(text).entries()) {
    const [, protocol, rest = ''] = /^(\w+):((?: \w+ -?\d{1,20})+)$/.exec(line) ?? [];
    if (protocol === undefined) {
      warnings.push(warn(index + 1, 'not "<protocol>: <name> <number> …"', line));
      continue;
    }
    const pairs = [...rest.matchAll(/ (\w+) (-?\d{1,20})/g)].map(
      ([, name = '', value]): [string, number] => [name, Number(value)],
    );
    protocols.push([protocol, Object.fromEntries(pairs)]);
  }
  return { data: Object.fromEntries(protocols), warnings };
}
