import { completeLines } from '../lines.ts';
import { type Parsed, ParseError, type ParseWarning, warn } from '../parsed.ts';

/** include/net/tcp_states.h, from 1 on. */
const states = [
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RECV',
  'FIN_WAIT1',
  'FIN_WAIT2',
  'TIME_WAIT',
  'CLOSE',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
  'CLOSING',
  'SYN_RECV',
] as const;

export type TcpSocket = Readonly<{
  local: string;
  remote: string;
  state: (typeof states)[number];
  /** Bytes that wait to be sent or acknowledged. */
  send_queue: number;
  /** Bytes that wait to be read; of a listening socket the connections that wait for accept(). */
  receive_queue: number;
  inode: string;
}>;

const row =
  /^ *\d+: ([\dA-F]+):([\dA-F]{4}) ([\dA-F]+):([\dA-F]{4}) ([\dA-F]{2}) ([\dA-F]{8}):([\dA-F]{8}) \S+ \S+ +\d+ +\d+ (\d{1,20})/;

/**
 * `/proc/net/tcp` and `/proc/net/tcp6` (net/ipv4/tcp_ipv4.c, net/ipv6/tcp_ipv6.c; proc(5)): addresses
 * are words in the byte order of the host, ports plain hexadecimal.
 *
 *       0: 0100007F:1F90 00000000:0000 0A 00000000:00000003 00:00000000 00000000     0        0 48213 1 …
 *
 * Little-endian hosts only, which is all that Node.js is built for apart from s390x. A row of another
 * form becomes a warning. Without the header: ParseError.
 */
export function parseNetTcp(text: string): Parsed<readonly TcpSocket[]> {
  const [header = '', ...rows] = completeLines(text);
  if (!header.includes('local_address')) throw new ParseError('no header: not /proc/net/tcp', 1);
  const warnings: ParseWarning[] = [];
  const data: TcpSocket[] = [];
  for (const [index, line] of rows.entries()) {
    const found = row.exec(line);
    const state = states[Number.parseInt(found?.[5] ?? '0', 16) - 1];
    if (!found || !state) {
      warnings.push(warn(index + 2, 'not a TCP socket', line));
      continue;
    }
    const [, local = '', localPort = '', remote = '', remotePort = '', , send = '', receive = ''] =
      found;
    data.push({
      local: endpoint(local, localPort),
      remote: endpoint(remote, remotePort),
      state,
      send_queue: Number.parseInt(send, 16),
      receive_queue: Number.parseInt(receive, 16),
      inode: found[8] ?? '0',
    });
  }
  return { data, warnings };
}

function endpoint(address: string, port: string): string {
  const decimal = Number.parseInt(port, 16);
  if (address.length === 8) return `${ipv4(address)}:${decimal}`;
  const words = address.match(/.{8}/g) ?? [];
  // ::ffff:0:0/96, an IPv4 peer of a socket that speaks both.
  if (words.slice(0, 3).join() === '00000000,00000000,FFFF0000') {
    return `${ipv4(words[3] ?? '')}:${decimal}`;
  }
  return `[${ipv6(words)}]:${decimal}`;
}

/** Bytes of a word in the order of the network. */
const bytesOf = (word: string): string[] => (word.match(/../g) ?? []).reverse();

const ipv4 = (word: string): string =>
  bytesOf(word)
    .map((byte) => Number.parseInt(byte, 16))
    .join('.');

/** With the longest run of zero groups left out, as RFC 5952 wants. */
function ipv6(words: readonly string[]): string {
  const bytes = words.flatMap(bytesOf);
  const groups = Array.from({ length: 8 }, (_, at) =>
    Number.parseInt(`${bytes[at * 2]}${bytes[at * 2 + 1]}`, 16).toString(16),
  );
  const text = groups.join(':');
  const [longest] = [...text.matchAll(/\b0(?::0)+\b/g)].sort((a, b) => b[0].length - a[0].length);
  if (!longest) return text;
  const before = text.slice(0, longest.index).replace(/:$/, '');
  const after = text.slice(longest.index + longest[0].length).replace(/^:/, '');
  return `${before}::${after}`;
}
