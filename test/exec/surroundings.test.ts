import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, expect, onTestFinished, test, vi } from 'vitest';
import { giveWay } from '../../src/exec/give-way.ts';
import { giveNice } from '../../src/exec/nice-value.ts';
import { run, start } from '../../src/exec/start.ts';
import { programsForTest } from './commands.ts';

const programs = programsForTest();
const { command } = programs;
afterAll(programs.remove);

test('nothing of our environment reaches a program', async () => {
  process.env['TRACEWRIGHT_TEST_SECRET'] = 'secret';
  process.env['LD_PRELOAD_TEST'] = '/tmp/x.so';
  const { stdout } = await run(command('surroundings'));
  const names = stdout.split('\n').flatMap((line) => /^([A-Z_]+)=/.exec(line)?.[1] ?? []);
  // The shell itself adds PWD.
  expect(names).toEqual(['HOME', 'LC_ALL', 'PATH', 'PERF_CONFIG', 'PERF_PAGER', 'PWD']);
  expect(stdout).toContain('\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n');
});

test('a program runs in /, without stdin, in a session and group of its own', async () => {
  const running = await start(command('surroundings'));
  const { stdout } = await running.finished;
  expect(stdout).toContain('\ncwd=/\nstdin=/dev/null\n');
  expect(stdout).toContain(`\npid=${running.pid}\ngroup=${running.pid} session=${running.pid}\n`);
});

test('arguments arrive as they are: no shell reads them', async () => {
  const args = ['$(id)', '`id`', '; id', '| id', '* ?', '"\'', 'a\nb', '', '--', '-e'];
  const { stdout } = await run(command('arguments', { args }));
  expect(stdout).toBe(args.map((each) => `<${each}>\n`).join(''));
});

test('control pipes carry orders in and acknowledgements out', async () => {
  const running = await start(command('control', { controlPipes: 2 }));
  const acknowledged: string[] = [];
  running.control(4).on('data', (text: Buffer) => acknowledged.push(text.toString()));
  running.control(3).write('enable\n');
  running.control(3).write('stop\n');
  expect(await running.finished).toMatchObject({ exit_code: 0, stopped_by: 'exit' });
  expect(acknowledged.join('')).toBe('ack enable\nack stop\n');
});

test('a control pipe that nobody reads holds nobody up', async () => {
  const running = await start(command('control', { controlPipes: 2 }));
  running.control(3).end('stop\n');
  expect(await running.finished).toMatchObject({ exit_code: 0, stopped_by: 'exit' });
});

const mayGoBefore = spawnSync('nice', ['-n', '-10', 'nice']).stdout.toString() === '-10\n';
const niceOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[16]);

test.skipIf(!mayGoBefore)(
  'a program goes before others where its command says so (skipped without CAP_SYS_NICE)',
  async () => {
    const running = await start(command('control', { controlPipes: 2, nice: -10 }));
    expect(niceOf(running.pid)).toBe(-10);
    running.control(3).end('stop\n');
    await running.finished;
    expect(niceOf(process.pid)).not.toBe(-10);
  },
);

const never = { ready_line: Infinity, watches_line: Infinity, window_ms: 0 };
const ours = niceOf(process.pid);

test.skipIf(!mayGoBefore)(
  'a program gives way until it is ready, and again when it has watched (skipped without CAP_SYS_NICE)',
  async () => {
    const gives_way = { ready_line: 1, watches_line: 2, window_ms: 300 };
    const running = await start(command('lines', { controlPipes: 1, gives_way }));
    const nice = () => niceOf(running.pid);
    expect(nice()).toBe(19);
    running.control(3).write('attaches\n');
    await expect.poll(nice, { timeout: 2500 }).toBe(ours);
    running.control(3).write('watches\n');
    await expect.poll(nice, { timeout: 2500 }).toBe(19);
    running.control(3).end('stop\n');
    await running.finished;
  },
);

const autogroup = '/proc/self/autogroup';
test.skipIf(!mayGoBefore || !existsSync(autogroup))(
  'its session gives way with it (skipped without CAP_SYS_NICE, or without autogroups)',
  async () => {
    const running = await start(command('lines', { controlPipes: 1, gives_way: never }));
    expect(readFileSync(`/proc/${running.pid}/autogroup`, 'utf8')).toMatch(/nice 19\n$/);
    running.control(3).end('stop\n');
    await running.finished;
  },
);

test.skipIf(!mayGoBefore)(
  'a program gives way for three seconds at most (skipped without CAP_SYS_NICE)',
  async () => {
    const running = await start(command('lines', { controlPipes: 1, gives_way: never }));
    const started = performance.now();
    running.control(3).write('tells\nwhat\nit\nread\n');
    await expect.poll(() => niceOf(running.pid), { timeout: 4500 }).toBe(ours);
    expect(performance.now() - started).toBeGreaterThan(2500);
    running.control(3).end('stop\n');
    await running.finished;
  },
);

test.skipIf(!mayGoBefore)(
  'a program that is to end gives way no longer (skipped without CAP_SYS_NICE)',
  async () => {
    const running = await start(command('ignore-int', { gives_way: never }));
    expect(niceOf(running.pid)).toBe(19);
    running.stop();
    expect(niceOf(running.pid)).toBe(ours);
    await running.finished;
  },
);

test.skipIf(!mayGoBefore)(
  'what a program printed before it ended is read later, and sets nothing off (skipped without CAP_SYS_NICE)',
  () => {
    // Of a session of its own: what is given to it is given to the whole session.
    const child = spawn('sleep', ['60'], { detached: true });
    onTestFinished(() => void child.kill());
    const gives_way = { ready_line: 1, watches_line: 2, window_ms: 60_000 };
    const giving = giveWay(child.pid ?? 0, gives_way);
    giving.ended();
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout');
    const before = timers();
    giving.printed('attaches\nwatches\n');
    expect(timers()).toEqual(before);
    expect(niceOf(child.pid ?? 0)).toBe(19);
  },
);

test.skipIf(!mayGoBefore)(
  'output of which no line tells anything is not looked at (skipped without CAP_SYS_NICE)',
  () => {
    const child = spawn('sleep', ['60'], { detached: true });
    onTestFinished(() => void child.kill());
    const giving = giveWay(child.pid ?? 0, never);
    onTestFinished(() => giving.ended());
    const text = Buffer.from('main 7 [0] 1.0: cycles:\n');
    const looked = vi.spyOn(text, 'indexOf');
    giving.printed(text);
    expect(looked).not.toHaveBeenCalled();
  },
);

test('a program that cannot be told to go before others runs as it is', () => {
  const nobody = 4_194_305;
  expect(() => giveNice(nobody, -10)).not.toThrow();
});

const unshare = ['--mount', '--propagation', 'private', 'true'];
const mayMount = spawnSync('unshare', unshare).status === 0;

test.skipIf(!mayMount)(
  'a file system that a program mounts stays private (skipped without CAP_SYS_ADMIN, and in a chroot)',
  async () => {
    const finished = await run(command('mounts', { privateMounts: true }));
    expect(finished).toMatchObject({ stdout: '1\n', stderr: '', exit_code: 0 });
    expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain('tracewright-test');
  },
);
