import {
  chownSync,
  closeSync,
  copyFileSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  findNodeAtLocation,
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import { TracewrightError } from '../../errors.ts';
import type { Client } from './clients.ts';
import { withProperty, withValue } from './edit-json.ts';
import { type Entry, entryIn, serverName } from './entry.ts';

/** What became of the file. */
export type Written = Readonly<{
  file: string;
  change: 'created' | 'changed' | 'none';
  /** The file as it was; null where there was none or nothing changed. */
  backup: string | null;
}>;

const bom = '\uFEFF';

/**
 * Puts the entry into the client's file. All else stays as it is, to the byte: comments, order, indent,
 * other servers, what people added to ours. A file that does not parse is left alone.
 */
export function writeEntry(path: string, client: Client, entry: Entry): Written {
  // A link of somebody's dotfiles stays one: its target is written.
  const file = existsSync(path) ? realpathSync(path) : path;
  const before = existsSync(file) ? readFileSync(file, 'utf8') : null;
  if (before === null && !existsSync(dirname(file))) throw notInstalled(client, dirname(file));
  const after = withEntry(before ?? '', file, client, entry);
  if (before === after) return { file, change: 'none', backup: null };
  const backup = before === null ? null : `${file}.before-${serverName}`;
  if (backup !== null) copyFileSync(file, backup);
  replace(file, before, after);
  return { file, change: before === null ? 'created' : 'changed', backup };
}

/** The entry that stands in the client's file; null where there is none. */
export function readEntry(path: string, client: Client): Entry | null {
  if (!existsSync(path)) return null;
  const root = parsed(readFileSync(path, 'utf8'), path, client);
  const node = findNodeAtLocation(root, [client.key, serverName]);
  const entry: unknown = node && getNodeValue(node);
  const { command, args = [] } = Object(entry);
  if (typeof command !== 'string' || !Array.isArray(args)) return null;
  return { command, args: args.map(String) };
}

function withEntry(text: string, file: string, client: Client, entry: Entry): string {
  const wanted = entryIn(client, entry);
  if (text.replace(bom, '').trim() === '') {
    return `${JSON.stringify({ [client.key]: { [serverName]: wanted } }, null, 2)}\n`;
  }
  const root = parsed(text, file, client);
  const servers = findNodeAtLocation(root, [client.key]);
  if (!servers) return withProperty(text, root, client.key, { [serverName]: wanted });
  if (servers.type !== 'object') throw notParsed(file, `"${client.key}" is no object`);
  const present = findNodeAtLocation(servers, [serverName]);
  if (!present) return withProperty(text, servers, serverName, wanted);
  if (present.type !== 'object') return withValue(text, present, wanted);
  let now = text;
  for (const [name, value] of Object.entries(wanted)) {
    // Offsets move with each change.
    const own = findNodeAtLocation(parsed(now, file, client), [client.key, serverName]) ?? present;
    const node = findNodeAtLocation(own, [name]);
    if (!node) now = withProperty(now, own, name, value);
    else if (!isDeepStrictEqual(getNodeValue(node), value)) now = withValue(now, node, value);
  }
  return now;
}

function parsed(text: string, file: string, client: Client): Node {
  const errors: ParseError[] = [];
  const isLenient = client.format === 'jsonc';
  // One character for another: offsets stay those of the file.
  const root = parseTree(text.replace(bom, ' '), errors, {
    allowTrailingComma: isLenient,
    disallowComments: !isLenient,
  });
  const [first] = errors;
  if (first) {
    const line = text.slice(0, first.offset).split('\n').length;
    throw notParsed(file, `line ${line}: ${printParseErrorCode(first.error)}`);
  }
  if (root?.type !== 'object') throw notParsed(file, 'it is no object');
  return root;
}

/** In one step, with the mode and the owner that the file had: a reader sees the old file or the new. */
function replace(file: string, before: string | null, after: string): void {
  const was = before === null ? null : statSync(file);
  const draft = `${file}.${process.pid}.tmp`;
  try {
    const fd = openSync(draft, 'wx', 0o600);
    try {
      writeSync(fd, after);
      fsyncSync(fd);
      if (was) fchmodSync(fd, was.mode & 0o7777);
    } finally {
      closeSync(fd);
    }
    if (was && (was.uid !== process.geteuid?.() || was.gid !== process.getegid?.())) {
      chownSync(draft, was.uid, was.gid);
    }
    if (before !== null && readFileSync(file, 'utf8') !== before) throw changedMeanwhile(file);
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw notWritten(file, error);
  }
}

const notParsed = (file: string, why: string): TracewrightError =>
  new TracewrightError(
    'PARSE_ERROR',
    `${file} is left as it is, because it does not parse: ${why}.`,
    'Repair the file, or run it without --write and copy what it prints.',
  );

const notInstalled = ({ name, title }: Client, folder: string): TracewrightError =>
  new TracewrightError(
    'FEATURE_UNAVAILABLE',
    `There is no ${folder}: ${title} seems not to be installed for this user.`,
    `Where it runs on another machine: tracewright config ${name} --via ssh THIS_MACHINE; else mkdir -p ${folder}`,
  );

function notWritten(file: string, error: unknown): TracewrightError {
  if (error instanceof TracewrightError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new TracewrightError(
    'EXECUTION_FAILED',
    `${file} cannot be written: ${reason}`,
    'Run it as the owner of the file, or without --write and copy what it prints.',
    error,
  );
}

const changedMeanwhile = (file: string): TracewrightError =>
  new TracewrightError('EXECUTION_FAILED', `${file} changed meanwhile.`, 'Run it again.');
