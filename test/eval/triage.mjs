// Provokes a cause, asks perf_triage, and prints what it named first. Needs root on a test machine
// without other work: a cause that others are is named, too.
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const cpus = availableParallelism();
const room = mkdtempSync(join(existsSync('/var/tmp') ? '/var/tmp' : tmpdir(), 'tracewright-eval-'));
const programs = new URL('../live/programs/', import.meta.url).pathname;
/** Scenarios that must name their cause first, of all that ran. */
const least = 8;

const children = [];
function load(program, ...args) {
  const child = spawn(program, args, { stdio: 'ignore', detached: true });
  children.push(child);
  return child.pid;
}

async function endLoads() {
  for (const child of children.splice(0)) {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
  await delay(500);
}

/** A cgroup of v1 or v2 with these settings, as [v1 file, v2 file, v1 value, v2 value]. */
function group(controller, settings) {
  const isV1 = existsSync(`/sys/fs/cgroup/${controller}`);
  const folder = `/sys/fs/cgroup/${isV1 ? `${controller}/` : ''}tracewright-eval-${process.pid}`;
  if (!isV1) writeFileSync('/sys/fs/cgroup/cgroup.subtree_control', `+${controller}`);
  mkdirSync(folder);
  for (const [v1, v2, valueV1, valueV2] of settings) {
    writeFileSync(`${folder}/${isV1 ? v1 : v2}`, String(isV1 ? valueV1 : valueV2));
  }
  return {
    add: (pid) => writeFileSync(`${folder}/cgroup.procs`, String(pid)),
    remove: () => rmdirSync(folder),
  };
}

const loop = 'while :; do :; done';
const hog = `exec -a plantedhog bash -c "${loop}"`;
const undo = [];

const scenarios = [
  { name: 'nothing at all', mode: 'standard', expect: null, start() {} },
  {
    name: 'CPU hog',
    mode: 'quick',
    expect: 'cpu_hog',
    start() {
      for (let each = 0; each < cpus * 2; each++) load('bash', '-c', hog);
    },
  },
  {
    name: 'CPU hog',
    mode: 'standard',
    expect: 'cpu_hog',
    start() {
      for (let each = 0; each < cpus * 2; each++) load('bash', '-c', hog);
    },
  },
  {
    name: 'exec storm',
    mode: 'standard',
    args: ['include_exec_trace=true'],
    expect: 'process_storm',
    start() {
      for (let each = 0; each < cpus; each++) load('sh', '-c', 'while :; do /bin/true; done');
    },
  },
  {
    name: 'cgroup CPU limit',
    mode: 'standard',
    expect: 'cgroup_cpu_limit',
    start() {
      const limited = group('cpu', [['cpu.cfs_quota_us', 'cpu.max', 10_000, '10000 100000']]);
      undo.push(limited.remove);
      limited.add(load('sh', '-c', loop));
    },
  },
  {
    name: 'busy disk',
    mode: 'standard',
    expect: 'disk_saturation',
    start() {
      for (let each = 0; each < 4; each++) {
        const file = join(room, `disk-${each}`);
        const dd = `while :; do dd if=/dev/zero of=${file} bs=4M count=64 oflag=direct; done`;
        load('sh', '-c', dd);
      }
    },
  },
  {
    name: 'memory limit too small',
    mode: 'standard',
    expect: ['memory_pressure', 'cache_thrashing'],
    start() {
      const file = join(room, 'large');
      const small = group('memory', [['memory.limit_in_bytes', 'memory.max', 48e6, 48e6]]);
      undo.push(small.remove);
      // The pages of a file belong to the group that wrote it: it is written in the small one.
      const fill = `dd if=/dev/zero of=${file} bs=1M count=150 conv=fsync`;
      const thrash = `python3 ${join(programs, 'thrash.py')} ${file}`;
      small.add(load('sh', '-c', `sleep 0.3; ${fill}; ${thrash} & ${thrash} & wait`));
      return { settle_ms: 5000 };
    },
  },
  {
    name: 'lock contention of a process',
    mode: 'standard',
    expect: 'lock_contention',
    start: () => ({ pid: load('python3', join(programs, 'locks.py'), '60') }),
  },
  {
    name: 'descriptor leak of a process',
    mode: 'standard',
    expect: 'fd_leak',
    start: () => ({ pid: load(process.execPath, join(programs, 'leak-descriptors.mjs'), '50') }),
  },
  {
    name: 'name server that does not answer',
    mode: 'deep',
    args: ['focus=network'],
    expect: 'slow_name_lookups',
    start() {
      const file = join(room, 'resolv.conf');
      writeFileSync(file, 'nameserver 127.0.0.99\noptions timeout:1 attempts:1\n');
      const ask = `import socket\nwhile True:\n  try: socket.getaddrinfo('slow.example.com',80)\n  except OSError: pass`;
      // Nobody answers there, and nobody says so either: a socket is bound and not read.
      load(
        'python3',
        '-c',
        `import socket,time\ns=socket.socket(2,2);s.bind(('127.0.0.99',53));time.sleep(99)`,
      );
      const enter = `mount --bind ${file} /etc/resolv.conf && exec /usr/bin/python3 -c "${ask}"`;
      load('unshare', '--mount', 'sh', '-c', enter);
    },
  },
  {
    name: 'nobody accepts connections',
    mode: 'standard',
    expect: 'network_loss',
    start() {
      const flood = `import socket,time\ns=socket.socket();s.bind(('127.0.0.1',0));s.listen(1)\nheld=[]\nwhile True:\n  c=socket.socket();c.setblocking(False)\n  try: c.connect(s.getsockname())\n  except BlockingIOError: pass\n  held.append(c);held=held[-200:];time.sleep(0.005)`;
      load('python3', '-c', flood);
    },
  },
];

const times = () => {
  const [, user, nice, system, idle, iowait, ...rest] = readFileSync('/proc/stat', 'utf8')
    .split('\n')[0]
    .split(/ +/)
    .map(Number);
  const all = [user, nice, system, idle, iowait, ...rest.slice(0, 3)];
  return { idle: idle + iowait, all: all.reduce((sum, each) => sum + each, 0) };
};

/** How busy others keep the CPUs while nothing of ours runs, in percent. */
async function othersBusy() {
  const before = times();
  await delay(1500);
  const after = times();
  const idle = (after.idle - before.idle) / (after.all - before.all);
  return Math.round(100 * (1 - idle));
}

const quiet_pct = 15;
/** What others do is a cause, too: a scenario that they disturbed is tried again, so often and so long. */
const most_tries = 4;
const retry_until_ms = performance.now() + 150_000;

/** Waits a while for a moment in which others do nothing. */
async function quiet() {
  let busy_pct = await othersBusy();
  for (let more = 0; more < 4 && busy_pct > quiet_pct; more++) busy_pct = await othersBusy();
  return busy_pct;
}

async function attempt({ mode, expect, args = [], start }) {
  const { pid, settle_ms = 2500 } = start() ?? {};
  await delay(settle_ms);
  const target = pid === undefined ? [] : [`pid=${pid}`];
  const call = ['dist/cli.js', 'call', 'perf_triage', `mode=${mode}`, ...args, ...target, '--json'];
  const started = performance.now();
  const { stdout } = spawnSync(process.execPath, call, { encoding: 'utf8' });
  const seconds = Number(((performance.now() - started) / 1000).toFixed(1));
  const { data } = JSON.parse(stdout);
  const [first] = data.root_causes;
  const right = [expect].flat().includes(first?.id ?? null);
  return {
    seconds,
    named: first ? `${first.id}: ${first.title.slice(0, 60)}` : 'healthy',
    confidence: first?.confidence ?? '',
    right,
    findings: right ? '' : data.all_findings.map(({ id }) => id).join(' '),
  };
}

async function judge(scenario) {
  const { name, mode } = scenario;
  for (let tries = 1; ; tries++) {
    const before_pct = await quiet();
    let outcome = { named: '', right: false };
    try {
      outcome = await attempt(scenario);
    } catch (error) {
      outcome.named = `could not be provoked: ${error.message.slice(0, 80)}`;
    }
    await endLoads();
    for (const each of undo.splice(0)) each();
    const others_pct = Math.max(before_pct, await othersBusy());
    const again =
      !outcome.right &&
      others_pct > quiet_pct &&
      tries < most_tries &&
      performance.now() < retry_until_ms;
    if (!again) return { scenario: name, mode, tries, others_pct, ...outcome };
  }
}

const only = process.argv[2];
const results = [];
for (const scenario of scenarios) {
  if (only !== undefined && !scenario.name.includes(only)) continue;
  const row = await judge(scenario);
  results.push(row);
  console.error(`${row.right ? 'ok  ' : 'MISS'} ${row.scenario} (${row.mode}): ${row.named}`);
}
rmSync(room, { recursive: true, force: true });
console.table(results);
const right = results.filter((row) => row.right).length;
console.log(
  `${right} of ${results.length} named first; ${readFileSync('/proc/loadavg', 'utf8').trim()}`,
);
process.exitCode = only !== undefined || right >= least ? 0 : 1;
