import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { parseLog2Hist } from '../../parsers/log2-hist/log2-hist.ts';
import { collectBioLatency } from '../../src/collectors/bio-latency.ts';
import { collectFileTrace } from '../../src/collectors/file-trace.ts';
import { collectIoLayers } from '../../src/collectors/io-layers.ts';
import { collectVfsLatency } from '../../src/collectors/vfs-latency.ts';
import { createContext } from '../../src/context.ts';
import { noGroups, testGroup } from './cgroups.ts';
import { callThatActs, endLoads, load, noTracing } from './traced-load.ts';

const run = promisify(execFile);
const ctx = createContext({ daemon: false, readOnly: false });
const python = '/usr/bin/python3';
const room = mkdtempSync(join(existsSync('/var/tmp') ? '/var/tmp' : tmpdir(), 'tracewright-io-'));
const large = join(room, 'large');
const large_bytes = 192 * 2 ** 20;

// A busy host takes seconds until bpftrace watches.
vi.setConfig({ testTimeout: 60_000 });
afterEach(endLoads);
afterAll(() => rmSync(room, { recursive: true, force: true }));

/** A file whose blocks are on the disk. */
function makeLarge(): void {
  if (existsSync(large)) return;
  const blocks = ['bs=1M', `count=${large_bytes / 2 ** 20}`, 'conv=fsync'];
  execFileSync('dd', ['if=/dev/zero', `of=${large}`, ...blocks], { stdio: 'ignore' });
}

/** A block device of our own, which nobody else reads or writes. */
function loopDevice(): string {
  writeFileSync(join(room, 'loop'), '');
  execFileSync('truncate', ['-s', '64M', join(room, 'loop')]);
  const args = ['--find', '--show', join(room, 'loop')];
  return execFileSync('losetup', args, { encoding: 'utf8' }).trim();
}

function noLoopDevice(): string {
  if (noTracing !== '') return noTracing;
  try {
    execFileSync('losetup', ['--detach', loopDevice()]);
    return '';
  } catch {
    return ' (needs loop devices)';
  }
}

const bio = { per_device: true, queued: false, milliseconds: false, linear_bucket_ms: 10 } as const;

const noLoop = noLoopDevice();
describe.skipIf(noLoop !== '')(`a block device of our own${noLoop}`, () => {
  test('500 direct reads and 500 direct writes of 64 KiB are counted one by one', async () => {
    const device = loopDevice();
    const name = device.replace('/dev/', '');
    const counters = (): number[] =>
      readFileSync(`/sys/block/${name}/stat`, 'utf8').trim().split(/\s+/).map(Number);
    try {
      const dd = [
        `dd if=${device} of=/dev/null bs=64k count=500 iflag=direct`,
        `dd if=/dev/zero of=${device} bs=64k count=500 oflag=direct`,
      ].join('; ');
      const { go } = await load('sh', '-c', `echo ready; read line; (${dd}) 2>/dev/null; sleep 60`);
      const before = counters();
      const { data, window_ms = 0 } = await collectBioLatency(
        ctx,
        { duration_seconds: 4, device, histogram_type: 'log2', ...bio },
        callThatActs(go),
      );
      const after = counters();
      const grown = (column: number): number => (after[column] ?? 0) - (before[column] ?? 0);
      expect(data.method).toBe('bpftrace');
      expect(data.per_operation).toMatchObject({ write: { ios: 500 } });
      // Where udev runs, it looks at a device that was written to.
      const reads = data.per_operation?.['read']?.ios ?? 0;
      expect(reads).toBe(grown(0));
      expect(reads).toBeGreaterThanOrEqual(500);
      expect(reads).toBeLessThan(600);
      const bytes = ((data.bytes_per_sec ?? 0) * window_ms) / 1000;
      expect(bytes / 65_536).toBeGreaterThan(999);
      expect(bytes / 65_536).toBeLessThan(1100);
      const counted = data.histogram?.reduce((sum, { count }) => sum + count, 0);
      expect(counted).toBe(data.summary?.total_ios);
      expect(data.per_device?.[name]?.total_ios).toBe(counted);
      // The kernel counts from the insertion on, and in whole milliseconds.
      const kernel_ms = grown(3) + grown(7);
      const ours_ms = ((data.summary?.avg_latency_us ?? 0) * (counted ?? 0)) / 1000;
      expect(ours_ms).toBeLessThanOrEqual(kernel_ms + 25);
      expect(ours_ms).toBeGreaterThan(kernel_ms * 0.3 - 25);
    } finally {
      execFileSync('losetup', ['--detach', device]);
    }
  });
});

/** The range in which a share of the counted values lies. */
function rangeAt(buckets: readonly { min: number; max: number; count: number }[], share: number) {
  let left = share * buckets.reduce((sum, { count }) => sum + count, 0);
  return buckets.find(({ count }) => {
    left -= count;
    return left <= 0;
  });
}

const noTool = existsSync('/usr/sbin/biolatency') ? noTracing : ' (needs libbpf-tools)';

test.skipIf(noTool !== '')(
  `block requests: medians within one range of libbpf-tools${noTool}`,
  { retry: 2 },
  async () => {
    makeLarge();
    const dd = `dd if=${large} of=/dev/null bs=64k iflag=direct 2>/dev/null`;
    await load('sh', '-c', `echo ready; while :; do ${dd}; done`);
    const query = { duration_seconds: 4, histogram_type: 'log2', ...bio } as const;
    const mount = 'mount -t tracefs none /sys/kernel/tracing 2>/dev/null; exec "$@"';
    const inTracefs = ['--mount', '--propagation', 'private', 'sh', '-c', mount, 'sh'];
    const [ours, theirs] = await Promise.all([
      collectBioLatency(
        ctx,
        query,
        callThatActs(() => {}),
      ),
      run('unshare', [...inTracefs, '/usr/sbin/biolatency', '4', '1']),
    ]);
    const [table] = parseLog2Hist(theirs.stdout);
    for (const [share, name] of [
      [0.5, 'p50'],
      [0.9, 'p90'],
    ] as const) {
      const told = ours.data.summary?.ranges_us?.[name];
      const range = rangeAt(table?.buckets ?? [], share);
      expect(range).toBeTruthy();
      expect(told?.[0]).toBeGreaterThanOrEqual((range?.min ?? 0) / 2);
      expect(told?.[0]).toBeLessThanOrEqual((range?.max ?? 0) + 1);
    }
  },
);

describe.skipIf(noTracing !== '')(`files${noTracing}`, () => {
  test('30 files of a short life, 25 opens and 7 failed ones are counted exactly', async () => {
    const { pid, go } = await load(python, 'test/live/programs/files.py', room);
    const query = { duration_seconds: 4, pid, mode: 'all', min_latency_ms: 1000 } as const;
    const { data } = await collectFileTrace(
      ctx,
      { ...query, include_all_files: false },
      callThatActs(once(go, 2)),
    );
    expect(data.method).toBe('bpftrace');
    expect(data.file_lifecycle?.summary).toMatchObject({
      total_files: 30,
      created: 30,
      removed: 30,
      short_lived_count: 30,
      by_process: { python3: 30 },
    });
    // Each sleeps 20 ms between; more where others have the CPU.
    const age_s = data.file_lifecycle?.summary.avg_age_seconds ?? 0;
    expect(age_s).toBeGreaterThanOrEqual(0.02);
    expect(age_s).toBeLessThan(0.1);
    expect(data.opens?.summary).toMatchObject({
      total_opens: 30 + 25 + 7,
      failed_opens: 7,
      by_path: { '/etc/passwd': 25, [`${room}/absent`]: 7 },
    });
    const failed = data.opens?.operations.find((each) => each.failed);
    expect(failed).toMatchObject({ pid, fd: null, error: 2, path: `${room}/absent` });
  });

  test('192 MiB that the cache does not have come from the disk', { retry: 2 }, async () => {
    const { read_hit_rate, block, files } = await readWhole('cold');
    expect(files.reads.bytes).toBeGreaterThanOrEqual(large_bytes);
    expect(block.read_bytes).toBeGreaterThanOrEqual(large_bytes);
    // Others read files that the cache has, at the same time.
    expect(read_hit_rate).toBeLessThan(20);
  });

  test('192 MiB that the cache has do not', { retry: 2 }, async () => {
    const { read_hit_rate, block, files, verdict } = await readWhole('hot');
    expect(files.reads.bytes).toBeGreaterThanOrEqual(large_bytes);
    expect(block.read_bytes).toBeLessThan(large_bytes * 0.1);
    expect(read_hit_rate).toBeGreaterThan(90);
    expect(['good', 'excellent']).toContain(verdict);
  });
});

async function readWhole(kind: 'cold' | 'hot') {
  makeLarge();
  const { go } = await load(python, 'test/live/programs/reads.py', large, '1048576', kind);
  const query = { duration_seconds: 4, include_details: true };
  const { data } = await collectIoLayers(ctx, query, callThatActs(go));
  expect(data.method).toBe('procfs+bpftrace');
  const { files, block } = data.details ?? {};
  if (!files || !block) throw new Error('nothing was traced');
  // One call for each MiB, and one that tells the end.
  expect(files.reads.ops).toBeGreaterThanOrEqual(large_bytes / 2 ** 20);
  const verdict = data.analysis?.cache_effectiveness ?? null;
  return { read_hit_rate: data.ratios?.read_hit_rate ?? null, block, files, verdict };
}

/** The same once both tracers watch: each says so. */
function once(act: () => void, watchers: number): () => void {
  let left = watchers;
  return () => {
    left -= 1;
    if (left === 0) act();
  };
}

const noThrottle = noTracing || noGroups();
test.skipIf(noThrottle !== '')(
  `20 MiB of a disk that is held at 10 MiB/s take two seconds, in slow reads${noThrottle}`,
  { retry: 2 },
  async () => {
    makeLarge();
    const group = testGroup(`tracewright-io-${process.pid}`);
    try {
      const { dev } = statSync(room);
      // As in gnu_dev_major() and gnu_dev_minor().
      group.limitReads(`${dev >> 8}:${dev & 0xff}`, 10 * 2 ** 20);
      const small = join(room, 'small');
      execFileSync('dd', [`if=${large}`, `of=${small}`, 'bs=1M', 'count=20', 'conv=fsync'], {
        stdio: 'ignore',
      });
      const reads = `exec ${python} test/live/programs/reads.py ${small} 1048576 direct`;
      const { pid, go, said } = await load(...group.shell(reads));
      const query = { duration_seconds: 5, pid, min_latency_ms: 50, include_all_files: false };
      const { data } = await collectVfsLatency(ctx, query, callThatActs(go));
      expect(data.method).toBe('bpftrace');
      // 20 that bring something and one that tells the end.
      expect(data.distribution?.read.count).toBe(21);
      // Two seconds for all: the kernel lets some pass at once and holds others for longer.
      const read_ms = ((data.distribution?.read.avg_latency_us ?? 0) * 21) / 1000;
      expect(read_ms).toBeGreaterThan(1500);
      expect(read_ms).toBeLessThan(2500);
      expect(data.summary?.read_ops).toBeGreaterThanOrEqual(5);
      expect(data.summary?.p50_latency_ms).toBeGreaterThan(60);
      const slow_ms = (data.summary?.avg_latency_ms ?? 0) * (data.summary?.read_ops ?? 0);
      expect(slow_ms / read_ms).toBeGreaterThan(0.8);
      expect(data.by_file).toEqual([expect.objectContaining({ filename: 'small' })]);
      expect(data.by_process).toEqual([expect.objectContaining({ process: 'python3', pid })]);
      // Its own clock around the reads tells the same sum.
      const took_ms = Number(/took ([\d.]+)/.exec(said())?.[1]) * 1000;
      expect(read_ms / took_ms).toBeGreaterThan(0.95);
      expect(read_ms / took_ms).toBeLessThanOrEqual(1.01);
    } finally {
      endLoads();
      await expect.poll(() => removed(group), { timeout: 5000 }).toBe(true);
    }
  },
);

function removed(group: ReturnType<typeof testGroup>): boolean {
  try {
    group.remove();
    return true;
  } catch {
    return false;
  }
}
