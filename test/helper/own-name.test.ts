import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const room = mkdtempSync(join(tmpdir(), 'tracewright-name-'));
afterAll(() => rmSync(room, { recursive: true, force: true }));

/** What it says to a client that sends something else than requests. */
function said(...words: readonly string[]) {
  const options = { input: 'no request\n', encoding: 'utf8', timeout: 30_000 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, words, options);
  return { status, stdout, stderr };
}

test('the program is a helper when it is started as tracewright-helper', () => {
  const link = join(room, 'tracewright-helper');
  symlinkSync(resolve('dist/cli.js'), link);
  const helper = said('dist/cli.js', 'helper');
  expect(said(link)).toEqual(helper);
  expect(said('dist/cli.js')).not.toEqual(helper);
});
