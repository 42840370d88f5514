import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { thereIsNo } from '../../did-you-mean.ts';
import { TracewrightError } from '../../errors.ts';
import { ownBundle } from '../../paths.ts';
import { checkEntry } from './check.ts';
import { type Client, clients } from './clients.ts';
import { readEntry, writeEntry } from './config-file.ts';
import { type Entry, entryOf, installLink, shellWords, snippet, wayOf } from './entry.ts';

type Given = Readonly<{
  write?: boolean | undefined;
  check?: boolean | undefined;
  via?: string | undefined;
}>;
type Told = Readonly<{ data: object; lines: readonly string[] }>;

/** `tracewright config CLIENT [--write] [--check] [--via direct|sudo|ssh HOST]`. */
export async function config(
  [name = '', host]: readonly string[],
  given: Given,
  json: boolean,
): Promise<string> {
  const client = clients.find((each) => each.name === name);
  if (!client) {
    const names = clients.map((each) => each.name);
    throw new TracewrightError(
      'INVALID_PARAMS',
      thereIsNo('client', name, names),
      `Choose from: ${names.join(', ')}.`,
    );
  }
  const isRoot = process.geteuid?.() === 0;
  const entry = entryOf(wayOf(given.via, host, isRoot), isRoot);
  const { data, lines } = await tell(client, entry, given);
  return json ? JSON.stringify({ client: client.name, ...data }) : lines.join('\n');
}

async function tell(client: Client, entry: Entry, given: Given): Promise<Told> {
  const written = given.write ? write(client, entry) : null;
  const checked = given.check ? await check(client, entry, given.via !== undefined) : null;
  if (written === null && checked === null) return show(client, entry, given.via);
  return {
    data: { ...written?.data, ...checked?.data },
    lines: [...(written?.lines ?? []), ...(checked?.lines ?? [])],
  };
}

function show(client: Client, entry: Entry, via: string | undefined): Told {
  const way = via === undefined || via === 'ssh' ? '' : ` --via ${via}`;
  const link = installLink(client, entry);
  const file = client.file === null ? [] : [`${client.title} on Linux: ${client.file}`];
  const command = client.command && shellWords([...client.command, entry.command, ...entry.args]);
  return {
    data: {
      file: client.file,
      entry,
      snippet: snippet(client, entry),
      link,
      command: command ?? null,
    },
    lines: [
      ...file,
      ...client.elsewhere,
      '',
      snippet(client, entry),
      ...(command ? ['', 'or by command:', command] : []),
      ...(link ? ['', 'or by link:', link] : []),
      '',
      client.afterwards,
      ...passing(),
      ...(client.file === null || client.format === 'toml'
        ? []
        : [`This does it here: tracewright config ${client.name} --write${way}`]),
    ],
  };
}

function write(client: Client, entry: Entry): Told {
  const path = fileOf(client);
  if (path === null || client.format === 'toml') {
    const command = client.command && shellWords([...client.command, entry.command, ...entry.args]);
    throw new TracewrightError(
      'NOT_ALLOWED',
      `The configuration of ${client.title} is printed, not written.`,
      command ?? `Copy it from: tracewright config ${client.name}`,
    );
  }
  refuseForeign(client, path);
  const written = writeEntry(path, client, entry);
  const { file, change, backup } = written;
  const what =
    change === 'none'
      ? `${file} has the entry already.`
      : `${change === 'created' ? 'Created' : 'Changed'}: ${file}`;
  return {
    data: { ...written, entry },
    lines: [
      what,
      ...passing(),
      ...(backup === null ? [] : [`As it was: ${backup}`]),
      client.afterwards,
    ],
  };
}

/** npx keeps what it fetched in a cache that npm may empty. */
const passing = (): string[] =>
  ownBundle().includes('/_npx/')
    ? [
        'This copy lies in the cache of npx and may go. Better: npm install -g tracewright, then config again.',
      ]
    : [];

/** What stands in the file; with --via, or where there is no file to look in, what would. */
async function check(client: Client, would: Entry, isGiven: boolean): Promise<Told> {
  const path = client.format === 'toml' ? null : fileOf(client);
  const configured = path === null || isGiven ? would : readOwn(path, client);
  if (configured === null) {
    throw new TracewrightError(
      'FEATURE_UNAVAILABLE',
      `${path} has no entry for tracewright.`,
      `tracewright config ${client.name} --write`,
    );
  }
  const checked = await checkEntry(client, configured);
  const { server, protocol, tools, took_ms } = checked;
  return {
    data: { checked, entry: configured },
    lines: [
      `${shellWords([configured.command, ...configured.args])}`,
      `answers: ${server}, protocol ${protocol}, ${tools} tools, ${took_ms} ms from start to list.`,
    ],
  };
}

function readOwn(path: string, client: Client): Entry | null {
  refuseForeign(client, path);
  return readEntry(path, client);
}

const fileOf = ({ file }: Client): string | null =>
  file === null ? null : expanded(file, process.env['XDG_CONFIG_HOME']);

/** `~` is the home of whoever calls; what lies in ~/.config follows XDG_CONFIG_HOME. */
function expanded(file: string, xdg: string | undefined): string {
  if (xdg?.startsWith('/') && file.startsWith('~/.config/')) {
    return join(xdg, file.slice('~/.config/'.length));
  }
  return join(homedir(), file.slice(2));
}

/**
 * Root neither writes nor starts what others can have prepared: their file may name any program, and a link
 * in their folder any file.
 */
function refuseForeign({ name, title }: Client, path: string): void {
  if (process.geteuid?.() !== 0) return;
  const user = process.env['SUDO_USER'] ?? 'root';
  const isForeign = [path, dirname(path)].some(
    (each) => (statSync(each, { throwIfNoEntry: false })?.uid ?? 0) !== 0,
  );
  if (!isForeign && user === 'root') return;
  throw new TracewrightError(
    'NOT_ALLOWED',
    isForeign
      ? `${path} is not root's, so root leaves it alone.`
      : `With sudo this would be root's configuration of ${title}, not that of ${user}.`,
    `Without sudo: tracewright config ${name} --write --via sudo`,
  );
}
