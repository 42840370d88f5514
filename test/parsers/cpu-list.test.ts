import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatCpuList, parseCpuList } from '../../parsers/cpu-list/cpu-list.ts';
import { ParseError } from '../../parsers/parsed.ts';

describe('a CPU list', () => {
  test('that the kernel writes comes back as it was', () => {
    for (const text of ['', '0', '0-3,8,10-11', '0-1,3', '5', '1022-1023']) {
      expect(formatCpuList(parseCpuList(`${text}\n`))).toBe(text);
    }
  });

  test('of any ids survives writing and reading', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(5000)), (ids) => {
        const ascending = ids.toSorted((a, b) => a - b);
        expect(parseCpuList(formatCpuList(ascending))).toEqual(ascending);
      }),
    );
  });

  test('with groups takes the first few of each', () => {
    expect(parseCpuList('0-15:2/8')).toEqual([0, 1, 8, 9]);
    expect(parseCpuList('0-8:2/4')).toEqual([0, 1, 4, 5, 8]);
  });

  test('in any order and with repeats ascends with each id once', () => {
    expect(parseCpuList('8,0-3,2')).toEqual([0, 1, 2, 3, 8]);
  });

  test('separated by blanks is read, as affected_cpus is written', () => {
    expect(parseCpuList('0 1 2 3\n')).toEqual([0, 1, 2, 3]);
  });

  test.each(['0-', '-3', '3-1', 'a', '0-7:0/0', '0-7:3/2', '0-4294967295', '0x1', '1.5'])(
    'of the form %s is refused',
    (text) => {
      expect(() => parseCpuList(text)).toThrow(ParseError);
    },
  );
});
