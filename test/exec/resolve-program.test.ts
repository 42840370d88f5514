import { chmodSync, chownSync, mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Program } from '../../allowlist/command.ts';
import { findProgram, resolveProgram } from '../../src/exec/resolve-program.ts';
import { programsForTest } from './commands.ts';

const { folder, remove } = programsForTest();
afterAll(remove);
const at = (...path: string[]): string => join(folder, ...path);
let names = 0;
const program = (...candidates: string[]): Program => ({
  name: `resolve-test-${++names}`,
  candidates,
  packages: { apt: 'a', dnf: 'd' },
});

test('takes the first candidate that is an executable file', () => {
  mkdirSync(at('folder'));
  chmodSync(at('exit-3.sh'), 0o644);
  const candidates = [at('absent'), at('folder'), at('exit-3.sh'), at('flood.sh'), at('fork.sh')];
  expect(findProgram(program(...candidates))).toEqual({ path: at('flood.sh') });
});

test('PATH is not searched', () => {
  expect(findProgram(program('/nonexistent/sh'))).toEqual({ problem: 'missing', path: null });
});

describe.skipIf(process.geteuid?.() !== 0)('as root (skipped for other users)', () => {
  test('refuses a program that a group may write', () => {
    chmodSync(at('forever.sh'), 0o775);
    const writable = program(at('forever.sh'));
    expect(findProgram(writable)).toEqual({ problem: 'unsafe', path: at('forever.sh') });
    expect(() => resolveProgram(writable)).toThrow(
      expect.objectContaining({
        code: 'NOT_ALLOWED',
        suggestion: expect.stringContaining(`chmod go-w ${at('forever.sh')}`),
      }),
    );
  });

  test('refuses a program of another user, however it is reached', () => {
    chownSync(at('noisy.sh'), 65534, 65534);
    symlinkSync(at('noisy.sh'), at('link.sh'));
    expect(findProgram(program(at('noisy.sh')))).toMatchObject({ problem: 'unsafe' });
    expect(findProgram(program(at('link.sh')))).toMatchObject({ problem: 'unsafe' });
  });

  test('refuses a program in a folder that others may write, unless it is sticky', () => {
    mkdirSync(at('open'));
    renameSync(at('fork.sh'), at('open', 'fork.sh'));
    chmodSync(at('open'), 0o777);
    const inside = program(at('open', 'fork.sh'));
    expect(findProgram(inside)).toEqual({ problem: 'unsafe', path: at('open') });
    chmodSync(at('open'), 0o1777);
    expect(findProgram(inside)).toEqual({ path: at('open', 'fork.sh') });
  });

  test('an unsafe candidate is not passed over for a later one', () => {
    chmodSync(at('orphan.sh'), 0o757);
    expect(findProgram(program(at('orphan.sh'), at('flood.sh')))).toMatchObject({
      problem: 'unsafe',
    });
  });
});
