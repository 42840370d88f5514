// Records what bench/collapse.mjs reads: perf script text of a busy machine, made longer by copies
// of itself in which process ids and the addresses of programs differ, as they would.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const loads = [
  [
    'node',
    [
      '-e',
      'const walk = (d) => (d > 12 ? JSON.parse(\'{"a":[1,2,3]}\').a.map((x) => x * 2).length : walk(d + 1) + 1); for (;;) walk(0);',
    ],
  ],
  [
    'python3',
    [
      '-c',
      'import json\ndef walk(n): return len(json.dumps({"a": n})) if n == 0 else walk(n - 1) + 1\nwhile True: walk(20)',
    ],
  ],
  [
    'sh',
    [
      '-c',
      'while :; do ls -lR /usr/share /usr/lib | sort | md5sum; find /proc -maxdepth 3 -name stat; done',
    ],
  ],
  ['sh', ['-c', 'while :; do dd if=/dev/zero bs=64k count=5000 | gzip -1 | wc -c; done']],
];
const mb = 1e6;

export function record(folder) {
  const perf = (...args) =>
    spawnSync('perf', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  const script = (data, text, ...args) => {
    const fd = openSync(join(folder, text), 'w');
    spawnSync('perf', ['script', '-i', data, ...args], {
      cwd: folder,
      stdio: ['ignore', fd, 'ignore'],
    });
    closeSync(fd);
  };
  const running = loads.map(([program, args]) =>
    spawn(program, args, { stdio: 'ignore', detached: true }),
  );
  try {
    perf(
      'record',
      '-q',
      '-a',
      '-F',
      '4999',
      '-g',
      '-e',
      'cpu-clock',
      '-o',
      'deep.data',
      '--',
      'sleep',
      '12',
    );
    perf(
      'record',
      '-q',
      '-a',
      '-F',
      '997',
      '--call-graph',
      'dwarf,8192',
      '-e',
      'cpu-clock',
      '-o',
      'dwarf.data',
      '--',
      'sleep',
      '4',
    );
    const events = '-e sched:sched_switch -e sched:sched_wakeup';
    spawnSync(
      'unshare',
      [
        '-m',
        'sh',
        '-c',
        `mount -t tracefs tracefs /sys/kernel/tracing
      perf record -q -a ${events} -g -o switch.data -- sleep 6; perf script -i switch.data > switch.raw
      perf record -q -a ${events} -o flat.data -- sleep 6; perf script -i flat.data > flat.raw`,
      ],
      { cwd: folder, stdio: 'ignore' },
    );
    perf('record', '-q', '-a', '-F', '99', '-g', '-o', 'busy.data', '--', 'sleep', '10');
  } finally {
    for (const { pid } of running) process.kill(-pid, 'SIGKILL');
  }
  script('deep.data', 'deep.raw', '--no-inline');
  script('dwarf.data', 'dwarf.raw', '--no-inline');
  repeat(folder, 'deep.raw', 'deep.txt', 100 * mb);
  repeat(folder, 'deep.raw', 'deep-1gb.txt', 1000 * mb);
  repeat(folder, 'dwarf.raw', 'dwarf.txt', 100 * mb);
  repeat(folder, 'switch.raw', 'tracepoints.txt', 100 * mb);
  repeat(folder, 'flat.raw', 'flat.txt', 100 * mb);
  for (const name of ['deep', 'dwarf', 'switch', 'flat']) {
    for (const kind of ['data', 'raw']) rmSync(join(folder, `${name}.${kind}`));
  }
}

/** Whole copies of a recording until the file is long enough, the first one as it was recorded. */
function repeat(folder, from, to, bytes) {
  const lines = readFileSync(join(folder, from), 'latin1').split('\n');
  const fd = openSync(join(folder, to), 'w');
  for (let copy = 0, written = 0; written < bytes; copy++) {
    for (let at = 0; at < lines.length; at += 20_000) {
      const part = lines
        .slice(at, at + 20_000)
        .map((line) => (copy === 0 ? line : varied(line, copy)));
      const last = at + 20_000 >= lines.length;
      written += writeSync(fd, part.join('\n') + (last ? '' : '\n'), null, 'latin1');
    }
  }
  closeSync(fd);
}

function varied(line, copy) {
  if (line.startsWith('\t   '))
    return `${line.slice(0, 11)}${turned(line.slice(11, 14), copy)}${line.slice(14)}`;
  if (line === '' || line.startsWith('\t')) return line;
  return line.replace(
    /^(\s*.+?\s)(\d+)(?=\s+\[)/,
    (_, before, id) => `${before}${(Number(id) + copy * 1000) % 4_000_000}`,
  );
}

const turned = (digits, by) =>
  digits.replace(/[0-9a-f]/g, (digit) => ((Number.parseInt(digit, 16) + by) % 16).toString(16));
