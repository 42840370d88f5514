import { expect, test } from 'vitest';
import type { Command } from '../../allowlist/command.ts';
import { startTracer } from '../../src/collectors/bpftrace-tracer.ts';
import { createContext } from '../../src/context.ts';
import type { Finished, Running } from '../../src/exec/start.ts';
import { call } from '../fake-host.ts';

/** A bpftrace that ends before it has attached anything. */
function endsBy(stopped_by: Finished['stopped_by'], stderr: string) {
  const finished = {
    exit_code: null,
    signal: 'SIGKILL',
    stdout: '',
    stderr,
    duration_ms: 63_000,
    stopped_by,
  } as Finished;
  const running = {
    pid: 4711,
    finished: Promise.resolve(finished),
    stop() {},
    printMaps() {},
  } as Partial<Running> as Running;
  const settings = { daemon: false, readOnly: false };
  const ctx = createContext(settings, '', () => Promise.resolve(running));
  return startTracer(ctx, {} as Command, {}, () => false, call);
}

test('a bpftrace that got no CPU to begin with is told as that', async () => {
  await expect(endsBy('deadline', '')).rejects.toMatchObject({
    code: 'TIMEOUT',
    message: expect.stringContaining('after 63 s'),
    suggestion: expect.stringContaining('less busy'),
  });
});

test('a bpftrace that ends by itself is told with the line of its error', async () => {
  const said = 'Attaching 3 probes...\nERROR: failed to create map\n';
  await expect(endsBy('exit', said)).rejects.toMatchObject({
    code: 'EXECUTION_FAILED',
    message: 'bpftrace ended: ERROR: failed to create map',
  });
});
