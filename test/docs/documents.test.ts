import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { programs, wrappers } from '../../allowlist/programs.ts';
import { uses } from '../../allowlist/uses.ts';
import { documents } from '../../scripts/docs/documents.ts';
import type { Seen } from '../../scripts/docs/resources.ts';
import { fieldNames } from '../../scripts/docs/seen-fields.ts';
import { surface } from '../../src/surface.ts';

test.each(documents('.'))('$path is what the code says (else: npm run docs)', ({ path, text }) => {
  expect(readFileSync(path, 'utf8')).toBe(text);
});

const man = '/usr/bin/man';

test.skipIf(!existsSync(man))(
  `the man page has no warnings (${existsSync(man) ? 'man' : 'man is not installed'})`,
  () => {
    const { stdout, stderr } = spawnSync(
      man,
      ['--warnings', '-E', 'UTF-8', '-l', 'man/tracewright.1'],
      {
        encoding: 'utf8',
        env: { MANPAGER: 'cat', MANWIDTH: '100', PATH: '/usr/bin:/bin' },
      },
    );
    expect(stderr).toBe('');
    expect(stdout).toContain('--exclude-tools');
  },
);

test.each([
  'topology://info',
  'stats://system/memory',
  'stats://system/network',
  'stats://system/cpu',
])('every outer field of %s is in its table (else: npm run docs -- --record)', (uri) => {
  const seen: Seen = JSON.parse(readFileSync('scripts/docs/resource-fields.json', 'utf8'));
  const { stdout } = spawnSync(process.execPath, ['dist/cli.js', 'read', uri, '--json'], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  // What is in them, and whether they are null, differs from host to host.
  const outer = (names: readonly string[]): string[] =>
    names.filter((name) => !name.includes('.')).map((name) => name.replace('[]', ''));
  expect(outer(Object.keys(seen[uri]?.fields ?? {}))).toEqual(
    expect.arrayContaining(outer(fieldNames(JSON.parse(stdout)))),
  );
});

test('every resource has a table of its fields', () => {
  const seen = JSON.parse(readFileSync('scripts/docs/resource-fields.json', 'utf8'));
  const plain = surface.resources.filter(({ uri }) => !uri.includes('{')).map(({ uri }) => uri);
  expect(Object.keys(seen)).toEqual(expect.arrayContaining(plain));
});

test('every program that may be started is in the table of uses', () => {
  const told = uses.map(({ program }) => program).join(' ');
  for (const { name } of [...Object.values(programs), ...Object.values(wrappers)]) {
    expect(told).toMatch(new RegExp(`\\b${name}\\b`));
  }
});
