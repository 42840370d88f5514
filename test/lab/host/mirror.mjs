import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CannotRun } from './cannot-run.mjs';

/** The Debian mirror of this machine: TRACEWRIGHT_LAB_MIRROR, or the first of its apt sources. */
export function debianMirror(folder = '/etc/apt') {
  const found = process.env.TRACEWRIGHT_LAB_MIRROR ?? sources(folder).find(isDebian);
  if (found) return found.replace(/\/$/, '');
  throw new CannotRun(
    `no Debian mirror in ${folder}/sources.list or ${folder}/sources.list.d. Name one: ` +
      'TRACEWRIGHT_LAB_MIRROR=URI npm run lab',
  );
}

// The archives of Debian itself end so; its security archive, Ubuntu and others do not.
const isDebian = (uri) => /\/debian\/?$/.test(uri);

function sources(folder) {
  const parts = join(folder, 'sources.list.d');
  const names = existsSync(parts) ? readdirSync(parts).map((name) => join(parts, name)) : [];
  return [join(folder, 'sources.list'), ...names]
    .filter((path) => /\.(list|sources)$/.test(path) && existsSync(path))
    .flatMap((path) => {
      const text = readFileSync(path, 'utf8').replace(/^\s*#.*\n?/gm, '');
      return path.endsWith('.list') ? urisOfLines(text) : urisOfStanzas(text);
    });
}

/** `deb [options] uri suite component…` */
const urisOfLines = (text) =>
  [...text.matchAll(/^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)/gm)].map(([, uri]) => uri);

/** Stanzas of `Key: value`, parted by blank lines. */
const urisOfStanzas = (text) =>
  text
    .split(/\n\s*\n/)
    .filter((stanza) => !/^Enabled:\s*no\s*$/im.test(stanza))
    .flatMap((stanza) => /^URIs:\s*(.+)$/im.exec(stanza)?.[1].trim().split(/\s+/) ?? []);
