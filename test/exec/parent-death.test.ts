import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundled } from '../bundled.ts';
import { isRunning, programsForTest } from './commands.ts';

const { folder, remove } = programsForTest();
const parent = join(folder, 'parent.mjs');
afterAll(remove);

beforeAll(() => bundled("import './test/exec/parent.ts'", parent));

async function startParent(
  args: readonly string[],
  [program, ...before]: readonly [string, ...string[]] = [process.execPath],
): Promise<{ child: ChildProcess; pid: number }> {
  const child = spawn(program, [...before, parent, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  for await (const chunk of child.stdout) {
    said += String(chunk);
    const pid = /^pid (\d+)$/m.exec(said)?.[1];
    if (pid !== undefined && said.includes('ready')) return { child, pid: Number(pid) };
  }
  throw new Error(`the parent ended early: ${said}`);
}

async function killAndExpectNoChild({ child, pid }: { child: ChildProcess; pid: number }) {
  expect(isRunning(pid)).toBe(true);
  child.kill('SIGKILL');
  await expect.poll(() => isRunning(pid), { timeout: 20_000 }).toBe(false);
}

const ignoring = join(folder, 'ignore-int.sh');
const listening = join(folder, 'forever.sh');

// In a chroot nothing can have mounts of its own: its root is no mount point.
const unshare = ['--mount', '--propagation', 'private', 'true'];
const mayMount = process.geteuid?.() !== 0 || spawnSync('unshare', unshare).status === 0;

test.each([
  { signal: 'KILL', mounts: 'shared', file: ignoring },
  ...(mayMount ? [{ signal: 'KILL', mounts: 'private', file: ignoring }] : []),
  { signal: 'TERM', mounts: 'shared', file: listening },
])('SIGKILL of the parent leaves no child ($signal, $mounts mounts)', async (each) => {
  await killAndExpectNoChild(await startParent([each.file, each.signal, each.mounts]));
});

test('a parent that is well keeps its child', async () => {
  const started = await startParent([ignoring]);
  await delay(300);
  await killAndExpectNoChild(started);
});

test.skipIf(process.geteuid?.() !== 0)(
  'without CAP_SYS_ADMIN a command with private mounts still runs (skipped for other users than root)',
  async () => {
    const asNobody = [
      '/usr/bin/setpriv',
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
    ] as const;
    chmodSync(folder, 0o755);
    const started = await startParent(
      [ignoring, 'KILL', 'private'],
      [...asNobody, process.execPath],
    );
    expect(statSync(`/proc/${started.pid}`).uid).toBe(65534);
    await killAndExpectNoChild(started);
  },
);
