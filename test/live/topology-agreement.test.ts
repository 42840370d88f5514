import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { readTopology, type Topology } from '../../src/collectors/topology.ts';
import { hostFiles } from '../../src/procfs/host-files.ts';
import * as hosts from '../fake-hosts.ts';
import { writeFakeHost } from '../fake-topology.ts';

const lscpu_works = spawnSync('lscpu', ['--version']).status === 0;

const roots: string[] = [];
afterAll(() => {
  for (const root of roots) rmSync(root, { recursive: true });
});

function lscpu(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('lscpu', args, {
    encoding: 'utf8',
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    maxBuffer: 16 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(`lscpu ${args.join(' ')}: ${stderr}`);
  return stdout;
}

const columns = '-p=CPU,CORE,SOCKET,NODE,CACHE';

type Row = Readonly<Record<string, string>>;

/**
 * The rows of `lscpu -p`, by the column names of its last comment line. Since 2.39 the caches are one
 * column, joined by colons.
 */
function lscpuRows(text: string): Row[] {
  const lines = text.trim().split('\n');
  const comments = lines.filter((line) => line.startsWith('#'));
  const names = (comments.at(-1) ?? '').slice(2).split(/[,:]/);
  return lines
    .filter((line) => !line.startsWith('#'))
    .map((line) => {
      const values = line.split(/[,:]/);
      return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
    });
}

/** Which CPUs are together, whatever the groups are called. */
function partition(pairs: readonly (readonly [number, string | number | null])[]): string[] {
  const groups = new Map<string | number | null, number[]>();
  for (const [cpu, key] of pairs) groups.set(key, [...(groups.get(key) ?? []), cpu]);
  return [...groups.values()].map((cpus) => cpus.toSorted((a, b) => a - b).join(' ')).sort();
}

function agree(topology: Topology, rows: readonly Row[]): void {
  const ours = (key: (cpu: Topology['cpus'][number]) => number | null) =>
    partition(topology.cpus.map((cpu) => [cpu.id, key(cpu)]));
  const theirs = (key: (row: Row) => string) =>
    partition(rows.map((row) => [Number(row['CPU']), key(row)]));
  const level = (name: string) => (row: Row) => row[name] ?? '';

  expect(rows.map((row) => Number(row['CPU']))).toEqual(topology.online);
  expect(ours((cpu) => cpu.core_id)).toEqual(theirs(level('Core')));
  expect(ours((cpu) => cpu.package_id)).toEqual(theirs(level('Socket')));
  expect(ours((cpu) => cpu.node_id)).toEqual(theirs(level('Node')));
  expect(ours((cpu) => cpu.l2_id)).toEqual(theirs(level('L2')));
  const last = (row: Row): string => (row['L3'] ? `L3 ${row['L3']}` : `L2 ${row['L2'] ?? ''}`);
  expect(ours((cpu) => cpu.llc_id)).toEqual(theirs(last));
  if (rows.every((row) => row['Node'] !== '')) {
    expect(topology.cpus.map((cpu) => String(cpu.node_id))).toEqual(rows.map((row) => row['Node']));
  }
}

type Cache = Readonly<{ level: number; type: string; 'one-size': number; 'all-size': number }>;

function lscpuCache(level: number | null, ...args: string[]): Cache | undefined {
  const { caches }: { caches: Cache[] } = JSON.parse(lscpu(...args, '-J', '-C', '-B'));
  return caches.find((cache) => cache.level === level && cache.type === 'Unified');
}

function agreeOnSizes(topology: Topology, ...args: string[]): void {
  const cache = lscpuCache(topology.llcs[0]?.level ?? null, ...args);
  const sizes = topology.llcs.map((llc) => llc.size_bytes);
  expect(sizes[0] ?? undefined).toBe(cache && Number(cache['one-size']));
  if (!cache) return;
  const sum = sizes.reduce<number>((total, size) => total + (size ?? 0), 0);
  expect(sum).toBe(Number(cache['all-size']));
}

describe.skipIf(!lscpu_works)('the topology, beside lscpu (skipped: lscpu is missing)', () => {
  test('of this machine groups the same CPUs', () => {
    agree(readTopology(hostFiles()), lscpuRows(lscpu(columns)));
  });

  test('of this machine has last-level caches of the same size', () => {
    agreeOnSizes(readTopology(hostFiles()));
  });

  test.each(Object.entries(hosts))('of the made-up host %s is the same', (_, host) => {
    const root = writeFakeHost(host());
    roots.push(root);
    const topology = readTopology(hostFiles(root));
    agree(topology, lscpuRows(lscpu('--sysroot', root, columns)));
    agreeOnSizes(topology, '--sysroot', root);
  });
});

const recorded = readdirSync('fixtures/hosts').filter((name) =>
  existsSync(`fixtures/hosts/${name}/lscpu.txt`),
);

test.each(recorded)('fixtures/hosts/%s groups the CPUs as lscpu did there', (name) => {
  const folder = `fixtures/hosts/${name}`;
  const text = readFileSync(`${folder}/lscpu.txt`, 'utf8');
  agree(readTopology(hostFiles(folder)), lscpuRows(text));
});
