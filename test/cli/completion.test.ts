import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { commandTable } from '../../src/cli/command-table.ts';
import { completion } from '../../src/cli/completion.ts';
import { options } from '../../src/cli/options.ts';

const room = mkdtempSync(join(tmpdir(), 'tracewright-completion-'));
afterAll(() => rmSync(room, { recursive: true, force: true }));
const script = join(room, 'completion.bash');
writeFileSync(script, completion('bash'));

/** What bash offers for the last of these words. */
function offered(...words: string[]): string[] {
  const line = `source ${script}
    COMP_WORDS=(tracewright "$@"); COMP_CWORD=$#; COMPREPLY=()
    _tracewright
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', line, 'bash', ...words], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return stdout.trim().split('\n');
}

describe('bash completes', () => {
  test('commands', () => {
    expect(offered('')).toEqual(commandTable.map(({ name }) => name));
    expect(offered('res')).toEqual(['resources']);
  });

  test('options', () => {
    expect(offered('watch', '--min')).toEqual(['--min-latency']);
  });

  test('names of tools, also behind an option', () => {
    expect(offered('call', 'perf_tri')).toEqual(['perf_triage']);
    expect(offered('--json', 'call', 'perf_tri')).toEqual(['perf_triage']);
  });

  test('clients, prompts and URIs', () => {
    expect(offered('config', 'vs')).toEqual(['vscode']);
    expect(offered('prompt', 'debug')).toEqual(['debug_high_latency']);
    expect(offered('read', 'topo')).toEqual(['topology://info']);
  });

  test('values of options', () => {
    expect(offered('config', 'zed', '--via', 's')).toEqual(['sudo', 'ssh']);
    expect(offered('watch', '--types', 'sched_sw')).toEqual(['sched_switch']);
  });
});

describe.each(['bash', 'zsh', 'fish'])('for %s', (shell) => {
  test('every command and option is there', () => {
    const text = completion(shell);
    for (const { name } of commandTable) expect(text).toContain(name);
    for (const name of Object.keys(options))
      expect(text).toMatch(new RegExp(`(?:--|-l )${name}\\b`));
  });
});

test('another shell is wrong usage', () => {
  expect(() => completion('tcsh')).toThrow('There is no completion for "tcsh"');
});
