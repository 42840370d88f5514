import type { Command } from '../allowlist/command.ts';
import type { Context } from '../src/context.ts';
import type { Finished, Running } from '../src/exec/start.ts';
import { ended } from './ended.ts';

export const fake_pid = 900;

/** What a bpftrace with a probe on SIGWINCH does that prints these lines on each request. */
export type FakeBpftrace = Readonly<{
  parts: Pick<Context, 'start' | 'run' | 'find' | 'install' | 'script' | 'scratch' | 'uid'>;
  /** Commands that were started. */
  started: readonly Command[];
  /** How many of them run. */
  running(): number;
  /** It ends by itself, having said this on stderr. */
  die(stderr?: string): void;
}>;

/** A bpftrace that prints one of `prints` each time that it is asked, the last one again and again. */
export function fakeBpftrace(
  prints: readonly (readonly string[])[],
  version = '0.23.2',
): FakeBpftrace {
  const started: Command[] = [];
  const ends = new Set<(stderr: string) => void>();
  const start: Context['start'] = (command, options) => {
    started.push(command);
    let requests = 0;
    let end = (_stderr: string): void => {};
    const finished = new Promise<Finished>((resolve) => {
      end = (stderr) => {
        ends.delete(end);
        resolve({ ...ended, stderr });
      };
    });
    ends.add(end);
    const say = (line: string): void => options?.onStdout?.(`${line}\n`);
    queueMicrotask(() => say('{"type": "printf", "data": "attached\\n"}'));
    const running: Running = {
      pid: fake_pid,
      finished,
      printMaps() {
        for (const line of prints[Math.min(requests, prints.length - 1)] ?? []) say(line);
        requests += 1;
        say(`{"type": "map", "data": {"@prints": ${requests}}}`);
      },
      stop: () => end(''),
      control: () => {
        throw new Error('no control pipe');
      },
    };
    return Promise.resolve(running);
  };
  return {
    started,
    running: () => ends.size,
    die(stderr = '') {
      for (const end of [...ends]) end(stderr);
    },
    parts: {
      uid: 0,
      start,
      run: () => Promise.resolve({ ...ended, stdout: `bpftrace v${version}` }),
      find: () => ({ path: '/usr/bin/bpftrace' }),
      install: ({ name }) => `install ${name}`,
      script: (name) => ({ path: `/scripts/${name}.bt`, text: '' }),
      scratch: {
        path: (name) => `/tmp/${name}`,
        write: (name) => `/tmp/${name}`,
        readFrom: () => Promise.resolve(new Uint8Array()),
        remove: () => {},
      },
    },
  };
}

export const mapLine = (name: string, values: Readonly<Record<string, number | string>>): string =>
  `{"type": "map", "data": {"${name}": ${JSON.stringify(values)}}}`;
