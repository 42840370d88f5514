import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ParseError } from '../../parsers/parsed.ts';
import { mainCgroupPath, parsePidCgroup } from '../../parsers/pid-cgroup/pid-cgroup.ts';
import { parsePidSched } from '../../parsers/pid-sched/pid-sched.ts';
import { parsePidSchedstat } from '../../parsers/pid-schedstat/pid-schedstat.ts';
import { isKernelThread, parsePidStat, policyName } from '../../parsers/pid-stat/pid-stat.ts';

const recorded = (format: string, name: string): string =>
  readFileSync(`fixtures/${format}/${name}.k6.18.44.cat-9.1/input.txt`, 'utf8');

describe('parsePidStat', () => {
  const real = recorded('pid-stat', 'real-time');

  test('whatever a process calls itself, its numbers are those of the kernel', () => {
    const expected = parsePidStat(real);
    fc.assert(
      fc.property(fc.string({ maxLength: 15, unit: 'binary' }), (comm) => {
        const parsed = parsePidStat(real.replace('(sleep)', () => `(${comm})`));
        expect(parsed).toEqual({ ...expected, comm });
      }),
    );
  });

  test('a file that ends within field 42 is refused', () => {
    const fields = real.split(' ');
    const torn = fields.slice(0, 42).join(' ');
    expect(() => parsePidStat(torn)).toThrow(ParseError);
    expect(parsePidStat(`${torn} `).policy).toBe(1);
  });

  test('a field that is no number is refused', () => {
    expect(() => parsePidStat(real.replace('-11', 'high'))).toThrow(/field 18/);
  });

  test('kernel threads and policies are told by name', () => {
    expect(isKernelThread(parsePidStat(recorded('pid-stat', 'kernel-thread')).flags)).toBe(true);
    expect(isKernelThread(parsePidStat(real).flags)).toBe(false);
    expect(policyName(parsePidStat(real).policy)).toBe('SCHED_FIFO');
    expect(policyName(99)).toBe('99');
  });
});

describe('parsePidSchedstat', () => {
  test.each(['', '1 2\n', '1 2 3', '1 x 3\n'])('refuses %j', (text) => {
    expect(() => parsePidSchedstat(text)).toThrow(ParseError);
  });
});

describe('parsePidSched', () => {
  test('takes nothing from above the line of dashes', () => {
    const text = recorded('pid-sched', 'real-time');
    const forged = text.replace('sleep (', 'x\nprio : 1\npolicy : 7 (');
    expect(parsePidSched(forged).data).toMatchObject({ prio: 89, policy: 1 });
    expect(() => parsePidSched(text.replace(/-{60,}/u, '---'))).toThrow(ParseError);
  });
});

describe('mainCgroupPath', () => {
  const path = (text: string) => mainCgroupPath(parsePidCgroup(text).data);

  test('prefers v2, then the cpu hierarchy, and the root only where all are', () => {
    expect(path(recorded('pid-cgroup', 'hybrid-colon'))).toBe('/shop:db.slice/db.service');
    expect(path('4:memory:/m\n2:cpu,cpuacct:/c\n1:name=systemd:/s\n0::/\n')).toBe('/c');
    expect(path('4:memory:/\n1:name=systemd:/s\n0::/\n')).toBe('/s');
    expect(path('4:memory:/\n0::/\n')).toBe('/');
    expect(path('')).toBeNull();
  });
});
