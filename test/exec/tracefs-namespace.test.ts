import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundled } from '../bundled.ts';
import { programsForTest } from './commands.ts';

const { folder, remove } = programsForTest();
const parent = join(folder, 'tracefs.mjs');
afterAll(remove);
beforeAll(() => bundled("import './test/exec/tracefs.ts'", parent));

const unshare = ['--mount', '--propagation', 'private', '--'];
const mayMount = spawnSync('unshare', [...unshare, 'true']).status === 0;
const hasTracefs = existsSync('/sys/kernel/tracing');
const why = mayMount && hasTracefs ? '' : ' (needs CAP_SYS_ADMIN and a kernel with tracefs)';

/** What a tracer sees of a host that was prepared by this shell command. */
function seenAfter(prepare: string): object {
  const command = `${prepare}; exec "$0" "$@"`;
  const program = [process.execPath, parent, join(folder, 'tracefs.sh')];
  const args = [...unshare, 'sh', '-c', command, ...program];
  return JSON.parse(execFileSync('unshare', args, { encoding: 'utf8' }));
}

const umount =
  'while umount /sys/kernel/tracing 2>/dev/null; do :; done; umount /sys/kernel/debug/tracing 2>/dev/null';

describe.skipIf(why !== '')(`a tracer that needs tracefs${why}`, () => {
  test('has it for itself where nobody mounted it, and the host stays without', () => {
    expect(seenAfter(umount)).toEqual({
      seen: 'events',
      own_namespace: false,
      same_again: true,
      mounted: false,
    });
  });

  test('runs where the server runs if it is mounted', () => {
    const mount = `${umount}; mount -t tracefs nodev /sys/kernel/tracing`;
    expect(seenAfter(mount)).toEqual({
      seen: 'events',
      own_namespace: true,
      same_again: true,
      mounted: true,
    });
  });
});
