import fc from 'fast-check';

const texts = [
  ...['', '-', '--', '---', '-e', '-c', '-p', '--script=/tmp/x', '--help', '--unsafe', '-I/tmp'],
  ...['$(id)', '`id`', ';id', '|id', '&id', "';id;'", '"', "'", '\\', '%s%n', '*', '~', '!', '#'],
  ...[
    'a\0b',
    'a\nb',
    'a\rb',
    '\u001b[2J',
    '\u202e',
    '\u007f',
    '\u009b',
    '\ud800',
    'é',
    '\u{1f600}',
  ],
  ...['..', '../../etc/shadow', '/etc/shadow', '/a/../b', '/proc/self/mem', '//', '/dev/stdin'],
  ...[
    '-1',
    '0',
    '1e9',
    '0x10',
    ' 1',
    '1 ',
    '1,2',
    '1;2',
    'NaN',
    'Infinity',
    '99999999999999999999',
  ],
  ...['cycles:u', 'u:u', 'sched:sched_switch', 'sched:*', 'sched:sched_switch --filter x', 'k:k'],
  ...['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'then', 'prog', 'perf', 'record'],
  ...['kprobe:vfs_read', 'vfs_read', 'vfs_*', 'BEGIN { system("id") }', '/a.py', '--- a.py'],
  'x'.repeat(5000),
];

const numbers = [
  ...[Number.NaN, Infinity, -Infinity, -0, 0, -1, 1.5, 1e-9, 1e21, 2 ** 31, 2 ** 32, 2 ** 53],
  ...[Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, Number.MAX_VALUE, 4_194_304, 65_536],
];

const hostileText = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...texts) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
);

const hostileNumber = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...numbers) },
  { weight: 1, arbitrary: fc.double() },
);

/** What no caller of ours gives, and whoever speaks the protocol can. */
export const hostile: fc.Arbitrary<unknown> = fc.oneof(
  hostileText,
  hostileNumber,
  fc.constantFrom<unknown>(null, true, false, [], {}, ['-e'], [['-p', 1]], { length: 1 }),
);

const weight = 10;

/** Mostly one of these, else any text: what is checked late is reached too. */
export const textLike = <T extends string>(...good: readonly T[]): fc.Arbitrary<T> =>
  // Their types are checked where requests come in; that they are among the known ones is not.
  fc.oneof(
    { weight, arbitrary: fc.constantFrom(...good) },
    { weight: 1, arbitrary: hostileText as fc.Arbitrary<T> },
  );

/** Mostly a whole number that is not above so much, else any number. */
export const numberLike = (max: number): fc.Arbitrary<number> =>
  fc.oneof(
    { weight, arbitrary: fc.integer({ min: 0, max }) },
    { weight: 1, arbitrary: hostileNumber },
  );
