import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseScalene, type ScaleneProfile } from '../../parsers/scalene/scalene.ts';
import type { RunRecord } from '../../src/collectors/python-profiles.ts';
import { type Context, createContext } from '../../src/context.ts';

/** A profile that Scalene wrote on a real run, by the beginning of its folder's name. */
export function recordedText(name: string): string {
  const folder = readdirSync('fixtures/scalene').find((each) => each.startsWith(name));
  if (folder === undefined) throw new Error(`no recording ${name}`);
  return readFileSync(`fixtures/scalene/${folder}/input.txt`, 'utf8');
}

export function recorded(name: string): ScaleneProfile {
  const profile = parseScalene(recordedText(name));
  if (!profile) throw new Error(`${name} holds no sample`);
  return profile;
}

/** Names of all recordings with samples. */
export const recordings = readdirSync('fixtures/scalene').filter(
  (each) => !each.startsWith('empty'),
);

export type View = Partial<RunRecord['view']>;

/** A server with a state folder of its own; `keep` is what a run of Scalene would have left. */
export function keptProfiles() {
  const stateFolder = mkdtempSync(join(tmpdir(), 'tracewright-kept-'));
  const ctx: Context = createContext({ daemon: false, readOnly: false, stateFolder });
  return {
    ctx,
    async keep(text: string, view: View = {}, changes: Partial<RunRecord> = {}): Promise<string> {
      const profile = parseScalene(text);
      const run: RunRecord = {
        source: { kind: 'script', path: '/srv/app/cpu.py' },
        program: '/srv/app/cpu.py',
        args: [],
        outcome: 'completed',
        partial: false,
        exit_code: 0,
        signal: null,
        wall_s: 3,
        scalene_version: profile?.series === '2.x' ? '2.3.0' : '1.5.51',
        run_as_uid: null,
        memory_profiled: profile?.memory ?? false,
        stdout_bytes: 0,
        stderr_bytes: 0,
        last_stdout: [],
        last_stderr: [],
        view: {
          cpu: true,
          cpu_percent_threshold: 1,
          malloc_threshold: 100,
          reduced_profile: false,
          memory_leak_detector: true,
          ...view,
        },
        warnings: [],
        ...changes,
      };
      const files = { 'profile.json': text, 'run.json': JSON.stringify(run) };
      return (await ctx.captures.save('python', run.program, files)).id;
    },
    remove: () => rmSync(stateFolder, { recursive: true, force: true }),
  };
}
