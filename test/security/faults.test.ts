import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { programs as known } from '../../allowlist/programs.ts';
import { audit } from '../../src/audit/audit.ts';
import { auditFile } from '../../src/audit/audit-file.ts';
import { guarded } from '../../src/exec/guarded-start.ts';
import { findProgram } from '../../src/exec/resolve-program.ts';
import { scratchSpace } from '../../src/exec/scratch.ts';
import { run } from '../../src/exec/start.ts';
import { captureStore } from '../../src/store/capture-store.ts';
import { programsForTest } from '../exec/commands.ts';
import { fill, otherProcess, removeDisks, smallDisk, unmountedBelow } from './shortages.ts';

const programs = programsForTest();
const { command } = programs;
const room = mkdtempSync(join(tmpdir(), 'tracewright-faults-'));
afterAll(() => {
  programs.remove();
  removeDisks();
  rmSync(room, { recursive: true, force: true });
});

const isRoot = process.geteuid?.() === 0;
const quota = { ttl_ms: 60_000, quota_bytes: 10, max_captures: 2 };

const other = otherProcess(room);
beforeAll(() => other.prepare());

const asStranger = ['setpriv', '--reuid=60123', '--regid=60123', '--clear-groups', '--'];
const unshared = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c'];
const unmount = 'while umount /sys/kernel/tracing 2>/dev/null; do :; done';
const ahead = ['unshare', '--time', '--monotonic=1000000', '--boottime=2000000'];
const may = ([program = '', ...words]: readonly string[]): boolean =>
  spawnSync(program, words).status === 0;

/** Lets each fault of the table happen. */
const faults: Readonly<Record<string, () => unknown>> = {
  'the program is missing': () => run(command('not-there')),
  'root could be given another program in its place': () => {
    chmodSync(join(programs.folder, 'noisy.sh'), 0o777);
    return run(command('noisy'));
  },
  'the program does not end': () => run(command('forever', { duration_ms: 300 })),
  'it ignores SIGINT': () => run(command('ignore-int', { duration_ms: 200 })),
  'it prints without end': () => run(command('flood', { output_bytes: 100_000 })),
  'it leaves processes behind': () => run(command('orphan')),
  'it exits with an error': () => run(command('exit-3')),
  'it stops in the middle of a line': () => run(command('half-line')),
  'the kernel does not start it': () =>
    run(command('arguments', { args: ['x'.repeat(3_000_000)] })),
  'the caller cancels': () => {
    const canceling = new AbortController();
    setTimeout(() => canceling.abort(), 200);
    return run(command('forever'), { signal: canceling.signal });
  },
  'no file can be opened any more': () => other.run({ limit: '--nofile=8' }).outcome,
  'nor for a helper': () => other.run({ limit: '--nofile=8', mode: 'helper' }).outcome,
  'no process can be started any more': () =>
    other.run({ limit: '--nproc=1', before: isRoot ? asStranger : [] }).outcome,
  'tracefs is not mounted': () =>
    other.run({ mode: 'tracefs', before: [...unshared, `${unmount}; exec "$0" "$@"`] }).outcome,
  'tracefs is unmounted while a tracer runs': unmountedBelow,
  'the clock of the host is put back': async () => {
    let year = 2026;
    const { save, list } = captureStore(join(room, 'clock'), () => new Date(year, 0));
    const ids: string[] = [];
    for (year of [2026, 1999]) ids.push((await save('python', 'x', { 'a.txt': 'x' })).id);
    return ids.every((id) => list('python').some((each) => each.id === id)) ? 'answer' : 'lost';
  },
  'clocks of a container are not those of its kernel': () => {
    const before = [...ahead, '--fork', '--'];
    const { monotonic_ns } = other.run({ before });
    const apart_s = Math.abs(Number(process.hrtime.bigint()) - monotonic_ns) / 1e9;
    return apart_s < 60 ? 'answer' : `${apart_s} s`;
  },
  'the disk of the captures is full': async () => {
    const disk = smallDisk(join(room, 'captures'));
    const { save, read, list } = captureStore(join(disk, 'state'), () => new Date());
    const { id } = await save('python', 'x', { 'a.txt': 'whole' });
    fill(disk);
    try {
      return await save('python', 'x', { 'a.txt': 'x'.repeat(5000) });
    } finally {
      expect(read('python', id, 'a.txt')).toBe('whole');
      expect(list('python').map((each) => each.id)).toEqual([id]);
    }
  },
  'the disk of a recording becomes full': async () => {
    const disk = smallDisk(join(room, 'recording'));
    const draft = captureStore(join(disk, 'state'), () => new Date()).begin('python', 'a.txt');
    try {
      for (let piece = 0; piece < 16; piece++) draft.append(Buffer.alloc(128 * 1024));
      return await draft.keep('x', {});
    } finally {
      draft.drop();
    }
  },
  'the disk of the temporary folder is full': () => {
    const disk = smallDisk(join(room, 'temporary'));
    fill(disk);
    vi.stubEnv('TMPDIR', disk);
    try {
      return scratchSpace().write('a.bt', 'x'.repeat(5000));
    } finally {
      vi.unstubAllEnvs();
    }
  },
  'the disk of the audit is full': async () => {
    const disk = smallDisk(join(room, 'audit'));
    const sink = auditFile(join(disk, 'audit.jsonl'), false);
    fill(disk);
    let told = '';
    const { attempt } = audit(
      sink,
      () => new Date(),
      (message) => {
        told = message;
      },
    );
    const finished = await guarded({ admit: (each) => each, record: attempt }).run(
      command('exit-3'),
    );
    await vi.waitUntil(() => /1 lines of the audit are lost/.test(told));
    return finished;
  },
  'captures are full': () =>
    captureStore(room, () => new Date(), quota).save('python', 'x', { 'a.txt': 'x'.repeat(11) }),
  'the state folder is of others': () => {
    writeFileSync(join(room, 'file'), '');
    return captureStore(join(room, 'file'), () => new Date()).save('python', 'x', {});
  },
};

/** The code of an error; of an answer what ended the program. */
async function outcomeOf(fault: () => unknown): Promise<string> {
  try {
    const answer = await fault();
    if (typeof answer === 'string') return answer;
    return `answer, ${String(Object(answer)['stopped_by'])}`;
  } catch (error) {
    return String(Object(error)['code']);
  }
}

const [, section = ''] =
  /^## Faults$([\s\S]*?)^## /m.exec(readFileSync('SECURITY.md', 'utf8')) ?? [];
const rows = [...section.matchAll(/^\| ([^|]+) \| `([^`]+)`.*\|$/gm)].map(
  ([, fault = '', outcome = '']) => ({ fault: fault.trim(), outcome }),
);

test('SECURITY.md tells of every fault', () => {
  expect(rows.map(({ fault }) => fault)).toEqual(Object.keys(faults));
});

const mayMount = isRoot && may([...unshared, 'true']);
/** What lets it happen, where not everybody can. */
const conditions: readonly (readonly [RegExp, boolean])[] = [
  // Others run what they may replace anyway.
  [/^root/, isRoot],
  [/^the disk|^tracefs/, mayMount],
  [/^tracefs/, existsSync('/sys/kernel/tracing')],
  [/helper/, existsSync('/usr/bin/sudo')],
  [/while a tracer runs/, !('problem' in findProgram(known.bpftrace))],
  [/^clocks/, may([...ahead, '--fork', 'true'])],
];
const told = rows.filter(({ fault }) =>
  conditions.every(([pattern, isSo]) => isSo || !pattern.test(fault)),
);
test.each(told)('when $fault the outcome is $outcome', async ({ fault, outcome }) => {
  expect(await outcomeOf(faults[fault] ?? (() => null))).toBe(outcome);
});
