import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
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

test.skipIf(!mayGoBefore)(
  'a program gives way until it watches, and again when it has (skipped without CAP_SYS_NICE)',
  async () => {
    let printed = '';
    const running = await start(
      command('lines', { controlPipes: 1, gives_way: { until_line: 2, window_ms: 300 } }),
      {
        onStdout(text) {
          printed += text;
        },
      },
    );
    const nice = () => niceOf(running.pid);
    expect(nice()).toBe(19);
    expect(readFileSync(`/proc/${running.pid}/autogroup`, 'utf8')).toMatch(/nice 19\n$/);
    running.control(3).write('attaches\n');
    await expect.poll(() => printed).toBe('attaches\n');
    expect(nice()).toBe(19);
    running.control(3).write('watches\n');
    await expect.poll(nice, { interval: 5 }).toBe(0);
    await expect.poll(nice).toBe(19);
    running.control(3).end('stop\n');
    await running.finished;
  },
);

test.skipIf(!mayGoBefore)(
  'a program gives way for three seconds at most (skipped without CAP_SYS_NICE)',
  async () => {
    const gives_way = { until_line: null, window_ms: 0 };
    const running = await start(command('lines', { controlPipes: 1, gives_way }));
    const started = performance.now();
    running.control(3).write('tells\nwhat\nit\nread\n');
    await expect.poll(() => niceOf(running.pid), { timeout: 4500 }).toBe(0);
    expect(performance.now() - started).toBeGreaterThan(2500);
    running.control(3).end('stop\n');
    await running.finished;
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
