import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const folder = 'scripts/bpftrace';
const captures = readdirSync(folder).filter(
  (name) =>
    name.endsWith('.bt') && readFileSync(`${folder}/${name}`, 'utf8').includes('interval:ms:$1'),
);

// bpftrace 0.17 reads the list of all trace events twenty times for each `args->field` in a program:
// with forty of them that is half of the CPU time of its start.
test.each(captures)('%s looks at each field of an event once in the body of a probe', (name) => {
  const bodies = readFileSync(`${folder}/${name}`, 'utf8')
    .replaceAll(/^\s*\/\/.*$/gm, '')
    .split(/^\{$/m)
    .slice(1)
    .map((body) => body.slice(0, body.search(/^\}/m)));
  for (const body of bodies) {
    const fields = body.match(/args->\w+/g) ?? [];
    expect(fields).toEqual([...new Set(fields)]);
  }
});
