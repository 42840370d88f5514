import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { cpus, release } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { stats_socket } from './real-scheduler.ts';

/** A connection to the scheduler's statistics, past Tracewright. */
export async function connectStats() {
  const socket = connect(stats_socket);
  await once(socket, 'connect');
  const answers = createInterface({ input: socket })[Symbol.asyncIterator]();
  return {
    /** The line that it answers. */
    async ask(request: string): Promise<string> {
      socket.write(`${request}\n`);
      const { value, done } = await answers.next();
      if (done) throw new Error(`no answer to ${request}`);
      return value;
    },
    close: () => socket.end(),
  };
}

type Recorded = Readonly<{ format: string; name: string; tool: string; version: string }>;

/** The last answer to some requests, a second apart, as a fixture in the results. */
export async function record(
  { format, name, tool, version }: Recorded,
  ...requests: readonly string[]
): Promise<void> {
  const connection = await connectStats();
  let answer = '';
  for (const [index, request] of requests.entries()) {
    if (index > 0) await pause(1000);
    answer = await connection.ask(request);
  }
  connection.close();
  const [kernel = ''] = release().split('-');
  const folder = `/results/fixtures/${format}/${name}.k${kernel}.${tool}-${version}`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/input.txt`, `${answer}\n`);
  writeFileSync(`${folder}/stderr.txt`, '');
  const quoted = requests.map((request) => `'${request}'`).join(' ');
  const lines = [
    'origin: recorded',
    `command: node test/scx-stats/ask.mjs ${stats_socket} ${quoted}`,
    'exit_code: 0',
    `tool: ${tool} ${version}`,
    `kernel: ${release()}`,
    'arch: x86_64',
    `cpus: ${cpus().length}`,
    'distro: Debian GNU/Linux 13 (trixie), virtual machine',
    `recorded_at: ${new Date().toISOString().replace(/\.\d+/, '')}`,
    `crate: ${tool} ${version}, as published, built by test/lab`,
  ];
  writeFileSync(`${folder}/provenance.txt`, `${lines.join('\n')}\n`);
}
