import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as z from 'zod/v4';
import { until } from './until.ts';

const Record = z.looseObject({ type: z.string(), data: z.unknown() });
const Maps = z.record(z.string(), z.unknown());

/**
 * Runs a bpftrace program of the test's own beside the product, with `printf("ready\n")` in its BEGIN.
 * Resolves once it has attached; `finish` ends it and gives its maps and what else it printed.
 */
export async function startIndependent(program: string) {
  const child = spawn('bpftrace', ['-f', 'json', '-B', 'line', '-e', program]);
  const ended = once(child, 'close');
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await until(() => output.includes('ready'), Boolean, 120_000);
  return {
    async finish() {
      child.kill('SIGINT');
      await ended;
      const lines = output.split('\n').filter((line) => line.startsWith('{'));
      const records = lines.map((line) => Record.parse(JSON.parse(line)));
      const maps = records.filter(({ type }) => type === 'map' || type === 'hist');
      return {
        maps: new Map(maps.flatMap(({ data }) => Object.entries(Maps.parse(data)))),
        printed: records.filter(({ type }) => type === 'printf').map(({ data }) => String(data)),
      };
    },
  };
}
