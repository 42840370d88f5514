import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { privateFolder } from '../../src/store/state-folder.ts';

const room = mkdtempSync(join(tmpdir(), 'tracewright-state-'));
afterAll(() => rmSync(room, { recursive: true, force: true }));

test('a home in which no folder can be made is told with what to do, not as a fault of ours', () => {
  const home = join(room, 'file');
  writeFileSync(home, '');
  expect(() => privateFolder(join(home, 'state'))).toThrow(
    expect.objectContaining({
      code: 'EXECUTION_FAILED',
      message: `${join(home, 'state')} cannot be used (ENOTDIR).`,
      suggestion: expect.stringContaining('--state-dir'),
    }),
  );
});
