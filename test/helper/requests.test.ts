import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wholePrograms } from '../../allowlist/bpftrace-program.ts';
import {
  type Command,
  type PrivilegedMaker,
  privilegedMakers,
  Refused,
} from '../../allowlist/command.ts';
import { importedPerfScript } from '../../allowlist/perf-script.ts';
import { programs } from '../../allowlist/programs.ts';
import { requestedCommand } from '../../allowlist/requests.ts';
import { versionOf } from '../../allowlist/version.ts';
import { everyCommand, groundForTest } from './privileged-commands.ts';

const { ground } = groundForTest();
const commands = everyCommand(ground);
const requests = commands.flatMap(({ request }) => (request === null ? [] : [request]));

/** What can come out of each maker, its words joined with spaces. */
const path = String.raw`/[\w./@+-]+`;
const grammars: Readonly<Record<PrivilegedMaker, RegExp>> = {
  bpftoolShow: /^-j (?:prog|link|map|struct_ops|perf) show$/,
  bpftoolStructOpsDump: /^-j struct_ops dump$/,
  bpftoolFeatureProbe: /^-j feature probe kernel$/,
  bpftraceScript: new RegExp(
    `^(?:-f json )?(?:--no-warnings )?-B (?:line|full) ${path}\\.bt(?: \\d+)*$`,
  ),
  kernelList: /^\/sys\/kernel\/(?:tracing\/available_filter_functions|debug\/kprobes\/blacklist)$/,
  kernelMessages: /^--kernel --color=never$/,
  perfList: /^list --no-desc(?: (?:hw|sw|tracepoint))*$/,
  perfRecord: new RegExp(
    `^record -q -D -1 --control fd:3,4 -e [\\w:-]+ (?:-c|-F) \\d+ -g (?:-a|-C \\d+|-p \\d+ --sample-cpu) -B -N --max-size \\d+B -o ${path}\\.data$`,
  ),
  perfRecordEvents: new RegExp(
    `^record -q -D -1 --control fd:3,4 -a -c 1 -m 512 -e [\\w:,]+ (?:-g )?-B -N --max-size \\d+B -o ${path}\\.data$`,
  ),
  perfScript: new RegExp(`^script -i ${path}\\.data --no-inline -F [a-z,]+$`),
  perfScriptEvents: new RegExp(
    `^script -i ${path}\\.data --ns --show-lost-events --no-inline -F trace:[a-z,]+$`,
  ),
  perfStatPerCpu: /^stat -a -A -j --log-fd 1 -e context-switches,cpu-migrations --timeout \d{3,5}$/,
  perfTraceSummary: new RegExp(`^trace -s (?:-a|-p \\d+) -o ${path}\\.txt$`),
  traceTool: /^(?:(?:-[a-zA-Z]|--[a-z-]+|\d+)(?: |$))*$/,
  bpfStatsWindow:
    /^\/usr\/lib\/node_modules\/tracewright\/dist\/cli\.js internal-bpf-stats \d{3,5}$/,
};

const overWire = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('a request', () => {
  test.each(
    commands.map((command) => [command.request?.maker, command.args.join(' '), command] as const),
  )('of %s makes the very same command again: %s', (maker, _words, command) => {
    const asked = overWire(command.request?.parameters);
    expect(requestedCommand(maker ?? '', asked, ground)).toEqual(command);
  });

  test('there is one of every maker in this list, and each of them stays in its grammar', () => {
    expect(new Set(requests.map(({ maker }) => maker))).toEqual(new Set(privilegedMakers));
    for (const { request, args } of commands) {
      expect(args.join(' ')).toMatch(grammars[request?.maker ?? 'perfList']);
    }
  });

  test.each(wholePrograms)('%s is a program that is shipped', (name) => {
    expect(existsSync(`scripts/bpftrace/${name}.bt`)).toBe(true);
  });

  test('programs of users and files of users have none', () => {
    expect(versionOf(programs.perf).request).toBeNull();
    expect(importedPerfScript('/home/user/perf.data', null).request).toBeNull();
  });

  test.each([
    ['an unknown maker', 'openFile', {}],
    ['a maker of an object', 'constructor', {}],
    ['a maker that is for users', 'scaleneRun', {}],
    ['a file of another list', 'kernelList', { list: '/etc/shadow' }],
    ['an extra key', 'kernelMessages', { args: ['--clear'] }],
    ['a missing key', 'perfScript', {}],
    ['a wrong type', 'perfStatPerCpu', { window_ms: '500' }],
    ['a path for a name', 'perfScript', { recording: '/etc/shadow' }],
    ['a way up', 'perfScript', { recording: '../x.data' }],
    ['the output of another program', 'perfScript', { recording: 'perf-trace.txt' }],
    ['a program of another name', 'perfScript', { recording: 'stream.bt' }],
    ['no object', 'bpftoolShow', null],
    ['a list', 'bpftoolShow', ['prog']],
  ])('%s is refused', (_what, maker, parameters) => {
    expect(() => requestedCommand(maker, parameters, ground)).toThrow(Refused);
  });

  test.each([
    { kind: 'whole', name: '../../etc/x' },
    { kind: 'whole', name: 'stream/frame' },
    { kind: 'whole', name: 'runqlat', text: 'BEGIN{}' },
    { kind: 'text', text: 'BEGIN{}' },
    { kind: 'libc', name: 'gethostlatency', libc: '/home/user/lib/libc.so.6' },
    { kind: 'functions', mode: 'count', probes: [{ name: 'a{}', kind: 'kprobe' }] },
    { kind: 'functions', mode: 'count', probes: [{ name: '_raw_spin_lock', kind: 'kprobe' }] },
    {
      kind: 'stream',
      parts: [{ fragment: 'kprobe', function: 'x { cat("/etc/shadow") }', registers: 6 }],
      shows_records: true,
      with_tracer: false,
    },
  ])('of the program %o is refused', (program) => {
    const asked = { program, parameters: [], duration_ms: 1000 };
    expect(() => requestedCommand('bpftraceScript', asked, ground)).toThrow(Refused);
  });
});

const marker = 'HOSTILE';
const hostile = fc.oneof(
  fc.constantFrom(
    `$(${marker})`,
    `x;${marker}`,
    `--script=${marker}`,
    `/etc/${marker}`,
    `../${marker}`,
    `${marker} { system("id") }`,
    `a\n${marker}`,
    -1,
    0,
    1.5,
    2 ** 60,
    null,
    true,
    [],
    {},
  ),
  fc.jsonValue(),
);

/** The same with one value in it, wherever it is, replaced, or with one more key. */
function spoiled(value: unknown, choice: () => number, by: unknown): unknown {
  if (typeof value !== 'object' || value === null || choice() < 0.15) return by;
  if (Array.isArray(value)) {
    const at = Math.floor(choice() * (value.length + 1));
    return [...value.slice(0, at), spoiled(value[at], choice, by), ...value.slice(at + 1)];
  }
  const keys = Object.keys(value);
  const key = keys[Math.floor(choice() * (keys.length + 1))];
  if (key === undefined) return { ...value, [`${marker}`]: by };
  return { ...value, [key]: spoiled(Reflect.get(value, key), choice, by) };
}

function tried(maker: string, parameters: unknown): Command | null {
  try {
    return requestedCommand(maker, parameters, ground);
  } catch (error) {
    expect(error).toBeInstanceOf(Refused);
    return null;
  }
}

function expectInGrammar(maker: string, { args, environment }: Command, texts: string[]): void {
  const known = privilegedMakers.find((each) => each === maker);
  expect(args.join(' ')).toMatch(grammars[known ?? 'kernelMessages']);
  for (const value of Object.values(environment)) expect(value).toMatch(/^\d+$/);
  expect(JSON.stringify([args, environment, texts])).not.toContain(marker);
}

test('whatever is changed in a request, it is refused or makes words of the grammar', () => {
  const choices = fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true }));
  fc.assert(
    fc.property(fc.constantFrom(...requests), choices, hostile, (request, stream, by) => {
      const choice = (): number => stream.next().value ?? 0;
      const { ground: own, texts } = groundForTest();
      const changed = overWire(spoiled(request.parameters, choice, by) ?? null);
      let command: Command;
      try {
        command = requestedCommand(request.maker, changed, own);
      } catch (error) {
        expect(error).toBeInstanceOf(Refused);
        return;
      }
      expectInGrammar(request.maker, command, [...texts.values()]);
    }),
    { numRuns: 3000 },
  );
});

test('whatever else is asked for, it is refused or makes words of the grammar', () => {
  const makers = fc.oneof(fc.constantFrom(...privilegedMakers), fc.string());
  fc.assert(
    fc.property(makers, fc.jsonValue(), (maker, parameters) => {
      const command = tried(maker, parameters);
      if (command !== null) expectInGrammar(maker, command, []);
    }),
    { numRuns: 3000 },
  );
});
