import { afterAll, describe, expect, test } from 'vitest';
import { audit } from '../../src/audit/audit.ts';
import type { AuditSink } from '../../src/audit/audit-file.ts';
import { auditLog } from '../../src/audit/audit-log.ts';
import { type AuditEntry, parseEntry } from '../../src/audit/entry.ts';
import { TracewrightError } from '../../src/errors.ts';
import { guarded } from '../../src/exec/guarded-start.ts';
import { underPolicies } from '../../src/policy/refusals.ts';
import { programsForTest } from '../exec/commands.ts';

const programs = programsForTest();
afterAll(programs.remove);
const { command } = programs;
const now = (): Date => new Date(0);

/** Keeps what is written, and answers when it is told to. */
function heldSink() {
  const texts: string[] = [];
  const answers: ((error: Error | null) => void)[] = [];
  const sink: AuditSink = {
    place: 'held',
    write(text, done) {
      texts.push(text);
      answers.push(done);
    },
    writeNow: (text) => void texts.push(text),
  };
  const entries = (): AuditEntry[] =>
    texts.flatMap((text) => text.split('\n').flatMap((line) => parseEntry(line) ?? []));
  return { sink, entries, answer: (error: Error | null = null) => answers.shift()?.(error) };
}

function recording() {
  const texts: string[] = [];
  const sink: AuditSink = {
    place: 'memory',
    write(text, done) {
      texts.push(text);
      done(null);
    },
    writeNow: (text) => void texts.push(text),
  };
  const made = audit(sink, now, () => {});
  const entries = (): AuditEntry[] =>
    texts.flatMap((text) => text.split('\n').flatMap((line) => parseEntry(line) ?? []));
  return { made, entries };
}

describe('an execution', () => {
  test('is one line: who asked, what ran, how it ended', async () => {
    const { made, entries } = recording();
    const { run } = guarded({ admit: (each) => each, record: made.attempt });
    const origin = { request: 'perf_x', client: { name: 'test\n', version: '1.0' } };
    await made.within(origin, () => run(command('exit-3', { args: ['--token=S3CRET', 'a\nb'] })));
    expect(entries()).toEqual([
      {
        time: '1970-01-01T00:00:00.000Z',
        decision: 'allowed',
        server_pid: process.pid,
        request: 'perf_x',
        client: 'test',
        client_version: '1.0',
        program: `${programs.folder}/exit-3.sh`,
        argv: ['--token=***', 'a b'],
        uid: process.geteuid?.(),
        exit_code: 3,
        signal: null,
        bytes: 8,
        duration_ms: expect.any(Number),
        reason: null,
      },
    ]);
  });

  test('that was streamed has its bytes, one that was ended has the reason', async () => {
    const { made, entries } = recording();
    const { start } = guarded({ admit: (each) => each, record: made.attempt });
    let heard = 0;
    const running = await start(command('forever'), {
      onStdout: () => {
        heard += 1;
      },
    });
    await expect.poll(() => heard, { timeout: 20_000 }).toBeGreaterThan(0);
    running.stop();
    await running.finished;
    await expect.poll(entries, { timeout: 20_000 }).toHaveLength(1);
    expect(entries()).toMatchObject([{ reason: 'ended by caller', request: null, client: null }]);
    expect(entries()[0]?.bytes).toBeGreaterThan(0);
  });

  test('of one request is not mistaken for that of another one beside it', async () => {
    const { made, entries } = recording();
    const { run } = guarded({ admit: (each) => each, record: made.attempt });
    const ask = (request: string) =>
      made.within({ request, client: null }, async () => {
        await Promise.resolve();
        return await run(command('exit-3', { args: [request] }));
      });
    await Promise.all(['a', 'b', 'c'].map(ask));
    expect(
      entries()
        .map(({ request, argv }) => [request, argv?.[0]])
        .sort(),
    ).toEqual([
      ['a', 'a'],
      ['b', 'b'],
      ['c', 'c'],
    ]);
  });

  test('that finds no program is none', async () => {
    const { made, entries } = recording();
    const { run } = guarded({ admit: (each) => each, record: made.attempt });
    await expect(run(command('not-there'))).rejects.toMatchObject({ code: 'TOOL_NOT_FOUND' });
    expect(entries()).toEqual([]);
  });
});

describe('a refusal', () => {
  test('by a policy is one line, with the program that was not started', async () => {
    const { made, entries } = recording();
    const policies = [{ path: '/etc/p.json', rules: { users: [1] } }];
    const { run } = guarded({
      admit: (each) => underPolicies(policies, each, () => [0]),
      record: made.attempt,
    });
    const asked = made.within({ request: 'perf_x', client: null }, () =>
      run({ ...command('exit-3'), subject: { ...command('exit-3').subject, watches: 'all' } }),
    );
    await expect(asked).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
    expect(entries()).toMatchObject([
      {
        decision: 'refused',
        request: 'perf_x',
        program: `${programs.folder}/exit-3.sh`,
        exit_code: null,
        reason: expect.stringContaining('NOT_ALLOWED: The policy /etc/p.json'),
      },
    ]);
  });

  test('before any program is a line without one', async () => {
    const { made, entries } = recording();
    const error = new TracewrightError('NOT_ALLOWED', 'No.', 'Ask.');
    const asked = made.within({ request: 'perf_x', client: null }, () => Promise.reject(error));
    await expect(asked).rejects.toBe(error);
    expect(entries()).toMatchObject([
      { decision: 'refused', request: 'perf_x', program: null, reason: 'NOT_ALLOWED: No.' },
    ]);
  });

  test('is no other failure', async () => {
    const { made, entries } = recording();
    const error = new TracewrightError('INVALID_PARAMS', 'No.', 'Ask.');
    await made.within({ request: 'x', client: null }, () => Promise.reject(error)).catch(() => {});
    expect(entries()).toEqual([]);
  });
});

describe('writing', () => {
  test('that was cut in the middle of a line costs no later line', () => {
    let file = '';
    let room = 40;
    const disk: AuditSink = {
      place: 'disk',
      write(text, done) {
        const written = text.slice(0, room);
        file += written;
        room = 10_000;
        done(written === text ? null : new Error('the disk is full'));
      },
      writeNow() {},
    };
    const log = auditLog(disk, now, () => {});
    for (const request of ['cut', 'whole']) log.add({ decision: 'allowed', request });
    const entries = file.split('\n').flatMap((line) => parseEntry(line) ?? []);
    expect(entries).toMatchObject([{ decision: 'lost', lost: 1 }, { request: 'whole' }]);
  });

  test('is waited for by nobody; what does not fit is lost, counted and told', () => {
    const { sink, entries, answer } = heldSink();
    const complaints: string[] = [];
    const log = auditLog(sink, now, (message) => complaints.push(message));
    for (let line = 0; line < 1500; line++) log.add({ decision: 'allowed', request: `${line}` });
    // One is under way, a thousand wait.
    expect(log.lost()).toBe(499);
    expect(complaints).toHaveLength(1);
    answer();
    answer();
    expect(entries()).toHaveLength(1 + 1 + 1000);
    expect(entries()[1]).toMatchObject({ decision: 'lost', lost: 499 });
  });

  test('that fails loses its lines, and says so once it works again', () => {
    const { sink, entries, answer } = heldSink();
    const complaints: string[] = [];
    const log = auditLog(sink, now, (message) => complaints.push(message));
    log.add({ decision: 'allowed', request: 'a' });
    answer(new Error('the disk is full'));
    expect(complaints[0]).toContain('the disk is full');
    log.add({ decision: 'allowed', request: 'b' });
    answer();
    expect(log.lost()).toBe(1);
    expect(entries().map(({ decision, request, lost }) => lost ?? request ?? decision)).toEqual([
      'a',
      1,
      'b',
    ]);
  });

  test('is done at once at the end of the process', () => {
    const { sink, entries } = heldSink();
    const log = auditLog(sink, now, () => {});
    for (const request of ['a', 'b', 'c']) log.add({ decision: 'allowed', request });
    log.finish();
    expect(entries().map(({ request }) => request)).toEqual(['a', 'b', 'c']);
  });
});

test.each(['', '{', '{"time":1}', '{"time":"x","decision":"allowed"}', 'null', '[]', '"a"'])(
  'a torn line is none: %s',
  (line) => {
    expect(parseEntry(line)).toBeNull();
  },
);
