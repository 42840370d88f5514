import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { limitedResource } from '../../src/helper/resource-limits.ts';

const limitsUnder = (...options: readonly string[]): string =>
  spawnSync('/usr/bin/prlimit', [...options, '--', '/bin/cat', '/proc/self/limits'], {
    encoding: 'utf8',
  }).stdout;
const all = ['--cpu', '--fsize', '--data', '--as'].map((each) => `${each}=unlimited`);

/** Nobody can raise a limit for the length of a test where one is set already. */
const isFree = limitedResource(limitsUnder()) === null;

test.skipIf(!isFree).each([
  ['Max file size', '--fsize=0:unlimited'],
  ['Max cpu time', '--cpu=10'],
  ['Max data size', '--data=4000000000'],
  ['Max address space', '--as=4000000000'],
])('%s that somebody set is seen (needs a session without limits)', (name, option) => {
  const others = all.filter((each) => !option.startsWith(each.split('=')[0] ?? ''));
  expect(limitedResource(limitsUnder(...others, option))).toBe(name);
});

test.skipIf(!isFree)(
  'a process without limits has none, and one that cannot tell has all (the same)',
  () => {
    expect(limitedResource(limitsUnder(...all))).toBeNull();
    expect(limitedResource('')).toBe('Max cpu time');
  },
);

const canHide =
  process.geteuid?.() === 0 && spawnSync('/usr/bin/unshare', ['--mount', '/bin/true']).status === 0;

test.skipIf(!canHide)(
  'a helper whose files may not grow does not start, since nothing could be recorded (needs root)',
  () => {
    const words = ['--fsize=0:0', '--', process.execPath, 'dist/cli.js', 'helper'];
    // Nothing of the host is written: the log folder is another one for it.
    const hidden = ['--mount', '--propagation', 'private', '--', '/bin/sh', '-c'];
    const script = `mount -t tmpfs none /var/log && exec prlimit ${words.join(' ')}`;
    const { status, stderr, stdout } = spawnSync('/usr/bin/unshare', [...hidden, script], {
      input: '',
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(stdout).toBe('');
    expect(stderr).toMatch(/Max file size|may replace/);
    expect(status).toBe(1);
  },
);
