import { readFileSync, writeFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { keepRunning, run } from './program.ts';
import { lscpu, schedExt } from './sysfs.ts';
import { until } from './until.ts';

const sources = '/lab/schedulers';
const built = '/tmp/schedulers';
const pins = '/sys/fs/bpf/lab';

/** A folder with what clang makes, and the types and functions of this very kernel in vmlinux.h. */
async function headers(): Promise<string> {
  const path = join(built, 'vmlinux.h');
  try {
    return readFileSync(path, 'utf8');
  } catch {
    await run('mkdir', '-p', built);
    const args = ['btf', 'dump', 'file', '/sys/kernel/btf/vmlinux', 'format', 'c'];
    const text = await run('bpftool', ...args);
    writeFileSync(path, text);
    return text;
  }
}

/** Whether schedulers may call this function of the running kernel. */
export async function offers(kfunc: string): Promise<boolean> {
  return (await headers()).includes(` ${kfunc}(`);
}

/** Compiles one of test/lab/schedulers; gives the object file. `defines` are NAME or NAME=VALUE. */
async function compile(name: string, defines: readonly string[]): Promise<string> {
  const queues = (await offers('scx_bpf_create_dsq')) ? [] : ['NO_QUEUES'];
  const all = [...defines, ...queues];
  const object = join(built, `${name}${all.map((each) => `-${each}`).join('')}.o`);
  const flags = ['-w', '-O2', '-g', '--target=bpf', '-D__TARGET_ARCH_x86', `-I${built}`];
  const source = join(sources, `${name}.bpf.c`);
  await run('clang', ...flags, ...all.map((each) => `-D${each}`), '-c', source, '-o', object);
  return object;
}

const objects = new Map<string, Promise<string>>();

function objectOf(name: string, defines: readonly string[]): Promise<string> {
  const key = [name, ...defines].join(' ');
  const object = objects.get(key) ?? compile(name, defines);
  objects.set(key, object);
  return object;
}

/** Loads a scheduler and returns once it schedules. No process holds it: it is pinned. */
export async function loadScheduler(name: string, ...defines: readonly string[]) {
  const object = await objectOf(name, defines);
  await run('bpftool', 'struct_ops', 'register', object, pins);
  await waitForState('enabled');
}

/** Loads a scheduler from a process that keeps it until `stop`, and returns once it schedules. */
export async function holdScheduler(name: string, ...defines: readonly string[]) {
  const object = await objectOf(name, defines);
  const holder = keepRunning('python3', join(sources, 'hold.py'), object);
  await waitForState('enabled');
  return holder;
}

/** Takes away what is loaded, if anything is, and returns once it schedules no more. */
export async function unloadScheduler(): Promise<void> {
  const links = await readdir(pins).catch(() => []);
  for (const link of links) await rm(join(pins, link));
  await waitForState('disabled');
}

/** The LLC of each CPU, as vtime-llc.bpf.c wants to be told. */
export async function llcDefines(): Promise<readonly string[]> {
  const places = await lscpu();
  const llcs = new Set(places.map(({ llc }) => llc)).size;
  return [`LLCS=${llcs}`, `LLC_OF_CPU=${places.map(({ llc }) => llc).join(',')}`];
}

/** Starts a task of policy SCHED_EXT that sleeps for a moment, and so is enqueued again. */
export function startExtTask() {
  const text = 'import os, time; os.sched_setscheduler(0, 7, os.sched_param(0)); time.sleep(0.05)';
  return keepRunning('python3', '-c', text);
}

const waitForState = (wanted: string) =>
  until(
    () => schedExt('state'),
    (state) => state === wanted,
  );
