import { TracewrightError } from '../../errors.ts';
import { ownBundle } from '../../paths.ts';
import type { Client } from './clients.ts';

/** How a client starts the server. */
export type Entry = Readonly<{ command: string; args: readonly string[] }>;

/** The name of the server in every client. */
export const serverName = 'tracewright';

/** What a client is told to start; `ssh` where it runs on another machine. */
export type Way =
  | Readonly<{ via: 'direct' }>
  | Readonly<{ via: 'sudo' }>
  | Readonly<{ via: 'ssh'; host: string }>;

const node = (): string => process.execPath;
const server = (): readonly string[] => [ownBundle(), 'mcp', '--daemon'];

/**
 * `-n` and BatchMode: nobody sees a question that a client's server asks, and an answer would be taken
 * from the protocol. They fail with a reason instead.
 */
export function entryOf(way: Way, isRoot: boolean): Entry {
  if (way.via === 'direct') return { command: node(), args: server() };
  if (way.via === 'sudo') return { command: 'sudo', args: ['-n', node(), ...server()] };
  const asRoot = isRoot && !way.host.startsWith('root@') ? ['sudo', '-n'] : [];
  const remote = shellWords([...asRoot, node(), ...server()]);
  return { command: 'ssh', args: ['-T', '-o', 'BatchMode=yes', way.host, remote] };
}

/** The way that `--via` names; without it root's, because most of what there is to see needs root. */
export function wayOf(via: string | undefined, host: string | undefined, isRoot: boolean): Way {
  if (via === undefined) return { via: isRoot ? 'sudo' : 'direct' };
  if (via === 'direct' || via === 'sudo') return { via };
  if (via !== 'ssh') throw wrongWay(`--via ${via.slice(0, 40)} is not one of direct, sudo, ssh.`);
  if (host === undefined)
    throw wrongWay('--via ssh needs the name of this machine as ssh knows it.');
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.@:-]*$/.test(host)) {
    throw wrongWay(`"${host.slice(0, 80)}" is not a host that ssh takes.`);
  }
  return { via: 'ssh', host };
}

const wrongWay = (message: string): TracewrightError =>
  new TracewrightError(
    'INVALID_PARAMS',
    message,
    'Example: tracewright config vscode --via ssh me@server',
  );

/** The entry as it stands in the client's file, without what is around it. */
export const entryIn = ({ extra }: Client, { command, args }: Entry) => ({
  ...extra,
  command,
  args,
});

/** What a person copies into the file. */
export function snippet(client: Client, entry: Entry): string {
  if (client.format === 'toml') {
    const strings = (words: readonly string[]): string => `[${words.map(tomlString).join(', ')}]`;
    return [
      `[${client.key}.${serverName}]`,
      `command = ${tomlString(entry.command)}`,
      `args = ${strings(entry.args)}`,
    ].join('\n');
  }
  return JSON.stringify({ [client.key]: { [serverName]: entryIn(client, entry) } }, null, 2);
}

/** A link that asks the client to install the server; null where the client knows none. */
export function installLink(client: Client, entry: Entry): string | null {
  if (client.link === 'vscode') {
    const wanted = JSON.stringify({ name: serverName, ...entry });
    return `vscode:mcp/install?${encodeURIComponent(wanted)}`;
  }
  if (client.link === 'cursor') {
    const config = Buffer.from(JSON.stringify(entry)).toString('base64');
    return `cursor://anysphere.cursor-deeplink/mcp/install?name=${serverName}&config=${encodeURIComponent(config)}`;
  }
  return null;
}

/** Words as a POSIX shell takes them. */
export const shellWords = (words: readonly string[]): string =>
  words
    .map((word) =>
      /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`,
    )
    .join(' ');

/** A basic string of TOML has the escapes of JSON, but for DEL and what JSON leaves as it is. */
const tomlString = (text: string): string => JSON.stringify(text).replaceAll('\u007f', '\\u007f');
