import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const folder = 'scripts/bpftrace';
// Started once for many reads, so that their start costs little: they repeat fields where that is easier to read.
const started_once = ['sched-aggregates.bt', 'sched-processes.bt'];
const programs = readdirSync(folder).filter(
  (name) => name.endsWith('.bt') && !started_once.includes(name),
);

// bpftrace 0.17 reads the list of all trace events twenty times for each `args->field` in a program:
// with forty of them that is half of the CPU time of its start.
test.each(programs)('%s looks at each field of an event once in the body of a probe', (name) => {
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
