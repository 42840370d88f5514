import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { expect, test, vi } from 'vitest';

vi.setConfig({ testTimeout: 60_000 });

test('a reader that has gone before the output comes is no failure', async () => {
  const child = spawn(process.execPath, ['dist/cli.js', 'tools', '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 50_000,
  });
  child.stdout.destroy();
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  expect(await text(child.stderr)).toBe('');
  expect(await ended).toBe(0);
});

const full = '/dev/full';

test.skipIf(!existsSync(full))(
  'output for which there is no room (where there is /dev/full) is an error of one line and its fix',
  () => {
    const output = openSync(full, 'w');
    try {
      const { stderr, status } = spawnSync(process.execPath, ['dist/cli.js', 'tools'], {
        stdio: ['ignore', output, 'pipe'],
        encoding: 'utf8',
        timeout: 50_000,
      });
      expect(status).toBe(1);
      expect(stderr).toMatch(/^tracewright: The output cannot be written: ENOSPC.*\n.+\n$/);
    } finally {
      closeSync(output);
    }
  },
);
