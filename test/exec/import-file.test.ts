import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { openImport } from '../../src/exec/import-file.ts';

const moment = vi.hoisted(() => ({ beforeOpen: (): void => {} }));
vi.mock(import('node:fs'), async (original) => {
  const fs = await original();
  return {
    ...fs,
    openSync(...args) {
      moment.beforeOpen();
      return fs.openSync(...args);
    },
  };
});

const room = realpathSync(mkdtempSync(join(tmpdir(), 'tracewright-test-import-')));
afterAll(() => rmSync(room, { recursive: true, force: true }));

test('a folder that becomes a link after it was looked at leads nowhere', () => {
  const [inside, outside] = [join(room, 'root/a'), join(room, 'outside')];
  for (const folder of [inside, outside]) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'x.folded'), `${folder} 1\n`);
  }
  const path = join(inside, 'x.folded');
  const roots = [join(room, 'root')];
  const file = openImport(path, roots);
  expect(String(file.next())).toContain('root/a 1');
  file.close();
  moment.beforeOpen = () => {
    moment.beforeOpen = () => {};
    renameSync(inside, join(room, 'root/b'));
    symlinkSync(outside, inside);
  };
  expect(() => openImport(path, roots)).toThrow('moved meanwhile');
});
