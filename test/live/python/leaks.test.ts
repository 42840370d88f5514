import { chmodSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { surface } from '../../../src/surface.ts';
import { missing, pythonRoom, scalenes } from './scalene.ts';

vi.setConfig({ testTimeout: 120_000 });

const programs = readdirSync(new URL('programs/leaks', import.meta.url));

/** The line that keeps what a leaking program allocates, or that allocates it. */
const leaking: Readonly<Record<string, RegExp>> = {
  'leak-list.py': /kept\.append/,
  'leak-dict.py': /seen\[number\] =/,
  'leak-objects.py': /self\.data =/,
  'leak-closure.py': /payload =/,
  'leak-thread.py': /queue\.append/,
};

describe.skipIf(missing)(`a second run under tracemalloc ${missing}`, () => {
  const { ctx, folder, remove } = pythonRoom(scalenes[1]?.python ?? '');
  chmodSync(dirname(folder), 0o755);
  afterAll(remove);

  async function call(name: string, args: object) {
    const tool = surface.tools({ readOnly: false }).find((each) => each.name === name);
    if (!tool) throw new Error(name);
    const { signal } = new AbortController();
    const { data } = await surface.callTool(tool, args, ctx, { signal, progress: () => {} });
    return Object(data);
  }

  test.each(programs)('judges %s', async (program) => {
    const script_path = `leaks/${program}`;
    const { profile_id } = await call('profile_script', { script_path, memory: false });
    const { leaks } = await call('get_memory_leaks', { profile_id, verify: true });
    const growing = leaks.filter((leak: { verdict: string }) => leak.verdict === 'growing');
    const line = leaking[program];
    if (line) expect(growing[0]?.line).toMatch(line);
    else expect(growing).toEqual([]);
  });
});
