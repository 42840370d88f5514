import type { Command } from '../../allowlist/command.ts';

/** What may stand behind an option; null: the option takes nothing. */
type Options = Readonly<Record<string, RegExp | null>>;
/** Words that stand by themselves, in their order; a list of patterns for any number at the end. */
type Line = Readonly<{ options: Options; words?: readonly RegExp[]; rest?: RegExp }>;

const count = /^(?:0|[1-9]\d{0,15})$/;
const pid = /^[1-9]\d{0,6}$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
const path = /^\/(?!.*(?:^|\/)\.\.(?:\/|$))[^\u0000-\u001f\u007f]{0,4095}$/;
const plainPath = /^\/(?!.*(?:^|\/)\.\.(?:\/|$))[\w./@+ -]{1,1000}$/;
const event =
  /^(?:cycles|instructions|branches|branch-misses|cache-misses|cache-references|ref-cycles|stalled-cycles-(?:front|back)end|bus-cycles|cpu-clock|task-clock|context-switches|cs|page-faults|faults|minor-faults|major-faults|cpu-migrations|migrations|[A-Za-z][\w-]{0,63}:(?![ukhIGHpPSDWeb]+$)[A-Za-z][\w-]{0,63})(?::u)?$/;
const events = /^(?:(?:sched|task):[a-z_]+)(?:,(?:sched|task):[a-z_]+)*$/;
const fields =
  /^(?:\+pid|(?:trace:)?(?:comm|pid|tid|cpu|time|event|trace|ip|sym|dso)(?:,(?:pid|tid|cpu|time|event|trace|ip|sym|dso))*)$/;

const perf: Readonly<Record<string, Line>> = {
  record: {
    options: {
      ...{ '-q': null, '-g': null, '-a': null, '-B': null, '-N': null, '--sample-cpu': null },
      ...{ '-D': /^-1$/, '--control': /^fd:3,4$/, '-m': /^512$/, '--max-size': /^\d{7,10}B$/ },
      ...{ '-c': count, '-F': count, '-C': count, '-p': pid, '-o': plainPath },
      '-e': new RegExp(`${event.source}|${events.source}`),
    },
  },
  script: {
    options: {
      ...{ '-f': null, '--ns': null, '--show-lost-events': null, '--no-inline': null },
      ...{ '-i': path, '-F': fields },
    },
  },
  stat: {
    options: {
      ...{ '-a': null, '-A': null, '-j': null, '--log-fd': /^1$/, '--timeout': count },
      '-e': /^context-switches,cpu-migrations$/,
    },
  },
  list: { options: { '--no-desc': null }, rest: /^(?:hw|sw|tracepoint)$/ },
  trace: { options: { '-s': null, '-a': null, '-p': pid, '-o': plainPath } },
};

const scalene = {
  ...{ '--cli': null, '--json': null, '--cpu-only': null, '--memory': null, '--gpu': null },
  ...{ '--stacks': null, '--no-stacks': null, '--profile-all': null, '--use-virtual-time': null },
} as const;
const scaleneWord =
  /^(?:--cpu-sampling-rate=\d{1,2}(?:\.\d{1,6})?|--allocation-sampling-window=\d{4,10}|--profile-(?:only|exclude)=(?!.*, *-)[\w./ ,][\w./ ,-]{0,400})$/;
const pathWord = /^--(?:outfile|program-path)=(.*)$/s;
const moduleName = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/;
const scriptWord = /\.py$/;

const tracers: Readonly<Record<string, Line>> = {
  biolatency: { options: { '-Q': null, '-m': null, '-D': null }, rest: count },
  gethostlatency: { options: { '-p': count }, rest: count },
  runqlat: { options: { '-P': null, '--pidnss': null, '-m': null, '-p': count }, rest: count },
  syscount: {
    options: { '-P': null, '-L': null, '-x': null, '-d': count, '-p': count, '-T': count },
    rest: count,
  },
  execsnoop: {
    options: { '-x': null, '-U': null, '-t': null, '-u': count, '--max-args': count },
    rest: count,
  },
  offcputime: { options: { '-f': null, '-p': count, '-m': count }, rest: count },
};

/** What is wrong with these words, or null. */
function walk(
  words: readonly string[],
  { options, words: wanted_words = [], rest }: Line,
): string | null {
  let stands = 0;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word.startsWith('-')) {
      if (!Object.hasOwn(options, word)) return `no option ${word}`;
      const value = options[word];
      if (!value) continue;
      at += 1;
      if (!value.test(words[at] ?? '')) return `${word} ${words[at]}`;
      continue;
    }
    const wanted = wanted_words[stands] ?? rest;
    if (!wanted?.test(word)) return `unexpected word ${word}`;
    stands += 1;
  }
  return stands < wanted_words.length ? 'too few words' : null;
}

function pythonLine(args: readonly string[]): string | null {
  const end = args.indexOf('---');
  const user = end < 0 ? [] : args.slice(end + 1);
  if (user.some((word) => word.includes('\0'))) return 'NUL in an argument of the program';
  const own = end < 0 ? args : args.slice(0, end);
  if (args[0] !== '-m') return tracemallocLine(own, user);
  if (own[1] !== 'scalene') return `-m ${own[1]}`;
  const words = own.slice(2);
  if (words[0] === '--version') return words.length === 1 ? null : 'words behind --version';
  if (end < 0) return 'no ---';
  if (words[0] === 'run') words.shift();
  // The program is last: a script, or -m and a module.
  const last = words.pop() ?? '';
  if (words.at(-1) === '-m') {
    words.pop();
    if (!moduleName.test(last)) return `module ${last}`;
  } else if (!path.test(last) || !scriptWord.test(last)) return `script ${last}`;
  const wrong = words.find(
    (word) =>
      !Object.hasOwn(scalene, word) &&
      !scaleneWord.test(word) &&
      !path.test(pathWord.exec(word)?.[1] ?? ''),
  );
  return wrong === undefined ? null : `no option ${wrong}`;
}

function tracemallocLine(own: readonly string[], user: readonly string[]): string | null {
  const [probe = '', outfile = '', interval, ...more] = own;
  if (!plainPath.test(probe) || !scriptWord.test(probe) || !path.test(outfile)) return 'paths';
  if (interval !== '0.2' || more.length > 0) return `interval ${interval} ${more}`;
  const [first = '', second = ''] = user;
  if (first === '-m') return moduleName.test(second) ? null : `module ${second}`;
  return path.test(first) && scriptWord.test(first) ? null : `script ${first}`;
}

const sampler: Readonly<Record<string, Line>> = {
  'py-spy': {
    options: {
      ...{ '--pid': pid, '--duration': count, '--rate': count, '--format': /^raw$/ },
      ...{ '--full-filenames': null, '--nonblocking': null, '--output': plainPath },
    },
    words: [/^record$/],
  },
  austin: {
    options: { '-s': null, '-i': /^\d+us$/, '-x': count, '-p': pid, '-o': plainPath },
  },
};

/** The programs that there are, where they lie, and what is wrong with their words. */
const programs: readonly Readonly<{
  candidate: RegExp;
  problem(args: readonly string[]): string | null;
}>[] = [
  {
    candidate: /^\/usr\/(?:local\/)?s?bin\/perf$/,
    problem([command = '', ...words]) {
      if (command === '--version') return words.length === 0 ? null : 'words behind --version';
      const line = Object.hasOwn(perf, command) ? perf[command] : undefined;
      return line ? walk(words, line) : `perf ${command}`;
    },
  },
  {
    candidate: /^\/usr\/(?:local\/)?s?bin\/bpftool$/,
    problem: (args) =>
      /^(?:version|-j (?:(?:prog|link|map|struct_ops|perf) show|struct_ops dump|feature probe kernel))$/.test(
        args.join(' '),
      )
        ? null
        : 'words of bpftool',
  },
  {
    candidate: /^\/usr\/(?:local\/)?s?bin\/bpftrace$/,
    problem: (args) =>
      walk(args, {
        options: { '-f': /^json$/, '--no-warnings': null, '-B': /^(?:line|full)$/ },
        words: [plainPath],
        rest: count,
      }),
  },
  {
    candidate: /^\/(?:usr\/)?bin\/cat$/,
    problem: (args) =>
      walk(args, {
        options: {},
        words: [
          /^\/sys\/kernel\/(?:tracing\/available_filter_functions|debug\/kprobes\/blacklist)$/,
        ],
      }),
  },
  {
    candidate: /^\/(?:usr\/)?bin\/dmesg$/,
    problem: (args) => walk(args, { options: { '--kernel': null, '--color=never': null } }),
  },
  {
    candidate: /^\/usr\/(?:local\/)?s?bin\/xdg-open$/,
    problem: (args) => walk(args, { options: {}, words: [path] }),
  },
  {
    candidate: /\/node$/,
    problem: (args) =>
      walk(args, { options: {}, words: [plainPath, /^internal-bpf-stats$/, count] }),
  },
  ...Object.entries(sampler).map(([name, line]) => ({
    candidate: new RegExp(`^\\/(?:[^\\0-\\x1f]*\\/)?${name}$`),
    problem: (args: readonly string[]) => walk(args, line),
  })),
  ...Object.entries(tracers).map(([name, line]) => ({
    candidate: new RegExp(
      `^\\/usr\\/(?:s?bin\\/(?:bpf-)?${name}|sbin\\/${name}-bpfcc|share\\/bcc\\/tools\\/${name})$`,
    ),
    problem: (args: readonly string[]) => walk(args, line),
  })),
  { candidate: /\/python[\w.]*$/, problem: pythonLine },
];

/** Names and values of the environment that a command may add. */
const environments: Readonly<Record<string, RegExp>> = {
  ...{ BPFTRACE_MAP_KEYS_MAX: count, BPFTRACE_MAX_MAP_KEYS: count, BPFTRACE_STRLEN: count },
  ...{
    BPFTRACE_MAX_STRLEN: count,
    BPFTRACE_CACHE_USER_SYMBOLS: /^1$/,
    BPFTRACE_PERF_RB_PAGES: count,
  },
  ...{ BPFTRACE_NO_USER_SYMBOLS: /^1$/, PYTHONUNBUFFERED: /^1$/ },
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
const control = /[\u0000-\u001f\u007f]/;

/**
 * What is wrong with a command line, told by a grammar of each program that was written by hand from
 * its help text, and shares nothing with the one that makes the command lines. Null: nothing.
 */
export function outsideGrammar(command: Command): string | null {
  const { program, args, environment, limits, sandbox } = command;
  const known = programs.find(({ candidate }) =>
    program.candidates.every((each) => candidate.test(each) && path.test(each)),
  );
  if (!known || program.candidates.length === 0) return `program ${program.candidates}`;
  const end = args.indexOf('---');
  const own = end < 0 ? args : args.slice(0, end);
  if (own.some((word) => typeof word !== 'string' || control.test(word)))
    return 'control character';
  if (!Object.values(limits).every((each) => each >= 0 && each <= Number.MAX_SAFE_INTEGER)) {
    return `limits ${JSON.stringify(limits)}`;
  }
  if (!sandbox) {
    for (const [name, value] of Object.entries(environment)) {
      if (!environments[name]?.test(value)) return `environment ${name}=${value}`;
    }
  }
  if (args.length === 1 && args[0] === '--version') return null;
  return known.problem(args);
}
