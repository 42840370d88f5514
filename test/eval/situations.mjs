// What a question is about, made on this machine: each situation starts its load and gives what the
// question has to name. Everything ends with `end`.
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const programs = new URL('../live/programs/', import.meta.url).pathname;
const cpus = availableParallelism();
const loop = 'while :; do :; done';
/** The first CPU that we may use. */
const firstCpu = () =>
  Number(/Cpus_allowed_list:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0);

/** Loads and what has to be undone, of one situation at a time. */
function bench(room) {
  const leaders = [];
  const undo = [];
  return {
    load(program, ...args) {
      // V8 writes logs where it starts.
      const { pid } = spawn(program, args, { stdio: 'ignore', detached: true, cwd: room });
      leaders.push(pid);
      return pid;
    },
    undo,
    async end() {
      for (const leader of leaders.splice(0)) {
        try {
          process.kill(-leader, 'SIGKILL');
        } catch {
          // It ended by itself.
        }
      }
      await delay(400);
      for (const each of undo.splice(0)) each();
    },
  };
}

const python = (name, ...args) => ['python3', join(programs, name), ...args];
const connecting = `import socket,threading,time
s=socket.create_server(('127.0.0.1',0))
threading.Thread(target=lambda:[s.accept()[0].close() for _ in iter(int,1)],daemon=True).start()
while True:
  socket.create_connection(s.getsockname()).close();time.sleep(0.02)`;
const flooding = `import socket,time
s=socket.socket();s.bind(('127.0.0.1',0));s.listen(1);held=[]
while True:
  c=socket.socket();c.setblocking(False)
  try: c.connect(s.getsockname())
  except BlockingIOError: pass
  held.append(c);held=held[-200:];time.sleep(0.005)`;
const syncing = (file) => `import os,time
f=os.open('${file}',os.O_CREAT|os.O_WRONLY)
while True:
  os.pwrite(f,b'x'*65536,0);os.fsync(f);time.sleep(0.02)`;
const lookingUp = `import socket,time
while True:
  socket.getaddrinfo('localhost',80);time.sleep(0.05)`;

/** The start of each situation; it answers with what the question is about. */
const situations = {
  nothing: () => ({}),
  hog({ load }, room) {
    const hog = join(room, 'plantedhog');
    if (!existsSync(hog)) symlinkSync('/bin/bash', hog);
    // It wins against what else runs here.
    const pids = Array.from({ length: cpus * 2 }, () => load('nice', '-n', '-15', hog, '-c', loop));
    return { pids };
  },
  crowdedCpu({ load }) {
    const cpu = firstCpu();
    const pids = [0, 1].map(() => load('taskset', '-c', String(cpu), 'sh', '-c', loop));
    return { cpu, pid: pids[0] };
  },
  spinning: ({ load }) => ({
    pid: load(
      process.execPath,
      '--perf-basic-prof',
      '--interpreted-frames-native-stack',
      join(programs, 'spin.mjs'),
      '120000',
    ),
  }),
  locks: ({ load }) => ({ pid: load(...python('locks.py')) }),
  deadlock: ({ load }) => ({ pid: load(...python('deadlock.py')) }),
  leak: ({ load }) => ({
    pid: load(process.execPath, join(programs, 'leak-descriptors.mjs'), '50'),
  }),
  storm: ({ load }) => ({ pid: load('sh', '-c', 'while :; do /bin/true; done') }),
  pingPong: ({ load }) => ({ pid: load(...python('ping-pong.py')) }),
  connecting: ({ load }) => ({ pid: load('python3', '-c', connecting) }),
  flooding: ({ load }) => ({ pid: load('python3', '-c', flooding) }),
  lookingUp: ({ load }) => ({ pid: load('python3', '-c', lookingUp) }),
  syncing: ({ load }, room) => ({
    pid: load('python3', '-c', syncing(join(room, 'synced.db'))),
    file: 'synced.db',
  }),
  disk({ load }, room) {
    const dd = `while :; do dd if=/dev/zero of=${join(room, 'disk')} bs=1M count=64 oflag=direct; done`;
    return { pid: load('sh', '-c', dd) };
  },
  limited({ load, undo }) {
    const v1 = existsSync('/sys/fs/cgroup/cpu');
    const folder = `/sys/fs/cgroup/${v1 ? 'cpu/' : ''}tracewright-eval-${process.pid}`;
    if (!v1) writeFileSync('/sys/fs/cgroup/cgroup.subtree_control', '+cpu');
    mkdirSync(folder);
    undo.push(() => rmdirSync(folder));
    const [file, value] = v1 ? ['cpu.cfs_quota_us', '10000'] : ['cpu.max', '10000 100000'];
    writeFileSync(join(folder, file), value);
    const pid = load('sh', '-c', loop);
    writeFileSync(join(folder, 'cgroup.procs'), String(pid));
    return { pid };
  },
};

/** Starts a situation and waits until it is under way. */
export async function provoke(name, room) {
  const { end, ...tools } = bench(room);
  const about = situations[name](tools, room);
  if (name !== 'nothing') await delay(1500);
  return { about, end };
}
