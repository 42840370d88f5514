import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { integer, matching, ownPath, Refused } from '../../allowlist/command.ts';

/** The value, or null where the allowlist refuses it. Anything else that is thrown is a fault. */
function accepted(make: () => string): string | null {
  try {
    return make();
  } catch (error) {
    expect(error).toBeInstanceOf(Refused);
    return null;
  }
}

const hostile = [
  '$(id)',
  '`id`',
  'a;id',
  'a|id',
  'a&id',
  'a\nid',
  'a id',
  '-e',
  '--script=x',
  '../etc/shadow',
  'a\0b',
  "a'b",
  'a"b',
  '',
  '\u202e',
  'é',
  'x'.repeat(1_000_000),
];

describe('integer', () => {
  test('whatever the number, what comes out is plain digits inside the range, or nothing', () => {
    const anything = fc.oneof(fc.double(), fc.integer(), fc.maxSafeInteger());
    fc.assert(
      fc.property(anything, fc.nat(), fc.nat(), (value, min, span) => {
        const text = accepted(() => integer('n', value, min, min + span));
        const fits = Number.isSafeInteger(value) && value >= min && value <= min + span;
        expect(text !== null).toBe(fits);
        if (text === null) return;
        expect(text).toMatch(/^\d+$/);
        expect(Number(text)).toBe(value === 0 ? 0 : value);
      }),
    );
  });

  test.each([Number.NaN, Infinity, -Infinity, 1.5, 2 ** 53, -1, 11])('%s is refused', (value) => {
    expect(() => integer('n', value, 0, 10)).toThrow('n must be a whole number from 0 to 10');
  });

  test('minus zero becomes 0', () => {
    expect(integer('n', -0, 0, 10)).toBe('0');
  });
});

describe('matching', () => {
  const symbol = /^[A-Za-z_][A-Za-z0-9_.]{0,127}$/;
  const lax = /^.*$/s;

  test.each(hostile)('a name is never %j', (value) => {
    expect(accepted(() => matching('name', value, symbol))).toBeNull();
  });

  test('text passes unchanged or not at all', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(symbol)), (value) => {
        const text = accepted(() => matching('name', value, symbol));
        expect(text).toBe(symbol.test(value) ? value : null);
      }),
    );
  });

  test('whatever the pattern, a leading dash is refused', () => {
    fc.assert(
      fc.property(fc.string(), (rest) => {
        expect(accepted(() => matching('name', `-${rest}`, lax))).toBeNull();
      }),
    );
  });
});

describe('ownPath', () => {
  test.each([...hostile, '/a/../b', '/..', 'relative', '/a\nb', '/a\0', '/*', '/~', '/'])(
    'refuses %j',
    (value) => {
      expect(accepted(() => ownPath(value))).toBeNull();
    },
  );

  test('lets a folder with a space through', () => {
    expect(ownPath('/home/a b/profile.data')).toBe('/home/a b/profile.data');
  });

  test('what passes is absolute, plain and unchanged', () => {
    const path = fc.string({ unit: fc.constantFrom(...'/.a-_ +@\n;$') }).map((rest) => `/${rest}`);
    fc.assert(
      fc.property(path, (value) => {
        const text = accepted(() => ownPath(value));
        if (text === null) return;
        expect(text).toBe(value);
        expect(text).toMatch(/^\/[\w./@+ -]+$/);
        expect(text.split('/')).not.toContain('..');
      }),
    );
  });
});

describe('the grammar holds no option that runs code or reads odd files', () => {
  const forbidden = [
    // perf: run scripts and filters, or programs and files of the caller's choice.
    '--script',
    '--dlfilter',
    '--dlarg',
    '--objdump',
    '--addr2line',
    '--vmlinux',
    '--symfs',
    '--kallsyms',
    '--inject-delay',
    '--switch-output',
    '--on-switch',
    '--exec-path',
    '--debuginfod',
    '--debug-file',
    // bpftrace: run programs, include files.
    '--unsafe',
    '--include',
    '--cmd',
  ];
  // bpftrace takes text of a program with -e, a command to run with -c, folders to include with -I.
  const forbiddenOfBpftrace = ['-e', '-c', '-I'];

  const sources = readdirSync('allowlist').filter((name) => name.endsWith('.ts'));
  test.each(sources)('%s', (name) => {
    const source = readFileSync(`allowlist/${name}`, 'utf8');
    const options = [...source.matchAll(/(['"`])(--?[A-Za-z][\w-]*)/g)].map((match) => match[2]!);
    // perf and bpftrace take any unambiguous beginning of a long option.
    const dangerous = options.filter(
      (option) =>
        forbidden.some((each) => option.startsWith('--') && each.startsWith(option)) ||
        (name.startsWith('bpftrace') && forbiddenOfBpftrace.includes(option)),
    );
    expect(dangerous).toEqual([]);
  });
});
