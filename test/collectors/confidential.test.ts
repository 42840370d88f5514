import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hideKernelAddresses } from '../../parsers/kernel-address.ts';
import { taskWords } from '../../parsers/stream/short-records.ts';
import { shownFrames } from '../../src/collectors/bpftrace-rung.ts';
import { lineSieve } from '../../src/collectors/event-lines.ts';
import { objectSieve } from '../../src/collectors/event-sieve.ts';
import { eventRow } from '../../src/collectors/exec-rows.ts';
import { collectOneProcess } from '../../src/collectors/one-process.ts';
import { createContext, type Settings } from '../../src/context.ts';
import { describeProcess } from '../../src/recordings/describe-process.ts';
import { type FakeProc, fakeProc } from '../fake-proc.ts';
import { call, steppedContext } from '../stepped-context.ts';

const masking: Settings = { daemon: false, readOnly: false };
const showing: Settings = { ...masking, showArguments: true, showAddresses: true };

describe('command lines', () => {
  const cmdline = ['/usr/bin/app', '--token=S3CRET', '-p', '8080'];
  let host: FakeProc;
  beforeEach(() => {
    host = fakeProc();
    host.write({ pid: 7, comm: 'app', cmdline });
  });
  afterEach(() => host.dispose());

  const row = async (settings: Settings) => {
    const ctx = { ...steppedContext(host.root, []), settings };
    const query = { pid: 7, sort: 'cpu', limit: 1, offset: 0 } as const;
    return (await collectOneProcess(ctx, query, call)).data.processes[0].cmdline;
  };

  test('of a process are shown without credentials, unless the operator asks for them', async () => {
    expect(await row(masking)).toBe('/usr/bin/app --token=*** -p 8080');
    expect(await row(showing)).toBe('/usr/bin/app --token=S3CRET -p 8080');
  });

  test('in a recording, too', () => {
    const described = (settings: Settings) =>
      describeProcess({ ...createContext(settings, host.root) })(7);
    // A fake host has no PID namespace, which counts as the one of the kernel.
    expect(described(masking)?.cmdline).toEqual(['/usr/bin/app', '--token=***', '-p', '8080']);
    expect(described(showing)?.cmdline).toEqual(cmdline);
  });

  test('of programs that begin, too', () => {
    const event = {
      kind: 'exec',
      at_ns: 0,
      pid: 7,
      ppid: 1,
      uid: 0,
      comm: 'mysql',
      filename: '/usr/bin/mysql',
      args: ['mysql', '-pS3CRET', 'db'],
      args_cut: false,
    } as const;
    const shown = (settings: Settings) =>
      eventRow(event, () => '', { from_ns: 0, timestamps: true, max_args: 10, settings });
    expect(shown(masking).args).toBe('mysql -p*** db');
    expect(shown(showing).args).toBe('mysql -pS3CRET db');
  });
});

describe('addresses of the kernel', () => {
  const kernel = 'ffffffff812a34b0';
  const program = '00007f12a34b5678';
  const record = `p\t1000\t0\t7\t7\t0\t0\n k\n\t${kernel} vfs_read+1\n u\n\t${program} read\n`;
  const step = { missed: 0, bytes: Buffer.from(record), skip: 0, isEnd: true, isAll: true };
  const query = { limit: 1, bytes: 10_000, types: null, pid: null, tasks: taskWords() };

  test('in samples are 0x0, those of programs are shown', () => {
    const events = objectSieve({ ...query, showAddresses: false });
    events.take(step, 1);
    const [event] = events.result().events;
    expect(event).toMatchObject({
      type: 'perf_sample',
      instruction_pointer: '0x0',
      kernel_stack: ['0x0'],
      user_stack: [`0x${program}`],
      cpu_id: 0,
    });
    const lines = lineSieve({ ...query, showAddresses: false });
    lines.take(step, 1);
    const text = Buffer.concat(lines.result().events).toString('utf8');
    expect(JSON.parse(JSON.parse(`"${text}"`))).toEqual(event);
  });

  test('are shown where the operator asks for them', () => {
    const events = objectSieve({ ...query, showAddresses: true });
    events.take(step, 1);
    expect(events.result().events).toMatchObject([{ kernel_stack: [`0x${kernel}`] }]);
  });

  test('stand for no frame of a stack', () => {
    const printed = `    vfs_read+1\n    0x${kernel}\n    0x56062a4522c0\n`;
    expect(shownFrames(createContext(masking), printed)).toBe(
      '    vfs_read+1\n    [unknown]\n    0x56062a4522c0\n',
    );
    expect(shownFrames(createContext(showing), printed)).toBe(printed);
  });

  test.each(['0x7fffffffffff', '0xffff', 'ffffffff812a34b0cafe', 'deadffff812a34b00000'])(
    '%s is none',
    (text) => {
      expect(hideKernelAddresses(text, '?')).toBe(text);
    },
  );
});

test('nothing reads the environment of a process', () => {
  const sources = ['src', 'parsers', 'allowlist', 'scripts']
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) =>
        join(entry.parentPath, entry.name),
      ),
    )
    .filter((path) => /\.(?:ts|mjs|bt|py)$/.test(path));
  expect(sources.length).toBeGreaterThan(300);
  const reading = sources.filter((path) =>
    /\benviron\b|env_start|env_end/.test(readFileSync(path, 'utf8')),
  );
  expect(reading).toEqual([]);
});
