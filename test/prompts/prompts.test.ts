import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { programs } from '../../allowlist/programs.ts';
import { createContext } from '../../src/context.ts';
import { surface } from '../../src/surface.ts';

const ctx = createContext({ daemon: true, readOnly: false });
const call = { signal: new AbortController().signal, progress: () => {} };
const toolNames = surface.tools({ readOnly: false }).map((tool) => tool.name);
const promptNames = surface.prompts.map((prompt) => prompt.name);
const resourceUris = surface.resources.map((resource) => resource.uri);

function tool(name: string) {
  const [found] = surface.tools({ readOnly: false, tools: [name] });
  if (!found) throw new Error(`no tool ${name}`);
  return found;
}

async function text(name: string, args: object = {}): Promise<string> {
  const { messages } = await surface.getPrompt(name, args, ctx, call);
  return messages.map((message) => message.content.text).join('\n');
}

describe.each(promptNames)('%s', (name) => {
  test('names only tools, prompts and resources that exist', async () => {
    const written = await text(name);
    const words = [...written.matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)].map((match) => match[1]);
    const calls = words.filter((word) => /^(?:start|stop|get|list|read|query)_/.test(word ?? ''));
    for (const word of calls) expect(toolNames).toContain(word);
    const uris = [...written.matchAll(/`([a-z]+:\/\/[^`?\s]+)/g)].map((match) => match[1]);
    expect(uris.length).toBeGreaterThan(0);
    for (const uri of uris) expect(resourceUris).toContain(uri);
    const others = [...written.matchAll(/prompt `([a-z_]+)`/g)].map((match) => match[1]);
    for (const other of others) expect(promptNames).toContain(other);
  }, 30_000);

  test('embeds the state of this host now, with stop conditions', async () => {
    const written = await text(name);
    expect(written).toContain(`## ${ctx.host} at 20`);
    expect(written).toContain('## Stop when');
    expect(written.length / 4).toBeLessThan(10_000);
  }, 30_000);
});

/** Every field that a prompt tells a model to look at stands in the answer it is said to be in. */
test('names only fields that the answers have', async ({ skip }) => {
  if ('problem' in ctx.find(programs.perf)) skip('needs perf for the fields of a profile');
  const profile = { pid: process.pid, freq: 499, duration_secs: 1 };
  await surface.callTool(tool('start_perf_profiling'), profile, ctx, call);
  const status = () => surface.readResource('profiling://perf/status', ctx, call);
  // Each look at it is work that the profile sees.
  while (Object(await status()).status === 'Running') await nextTurn();
  const answers = await Promise.all(
    [
      ...resourceUris.filter((uri) => !uri.includes('{')),
      'stats://aggregated/process?limit=5',
      'stats://aggregated/process?limit=5&trace_ms=100',
      'stats://aggregated/cpu?trace_ms=100',
      `stats://aggregated/process?pid=${process.pid}`,
    ].map((uri) => surface.readResource(uri, ctx, call)),
  );
  const known = new Set([
    ...answers.flatMap(fieldNames),
    ...surface
      .tools({ readOnly: false })
      .map(surface.contractOf)
      .flatMap((tool) => fieldNames([tool.inputSchema, tool.outputSchema])),
    ...promptNames,
    ...toolNames,
  ]);
  for (const name of promptNames) {
    const written = await text(name);
    const steps = written.slice(written.indexOf('## Steps'));
    for (const [, field = ''] of steps.matchAll(/`([a-z_]+(?:\.[a-z_]+)*)`/g)) {
      for (const part of field.split('.'))
        expect([name, known.has(part), part]).toEqual([name, true, part]);
    }
  }
}, 60_000);

function fieldNames(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(fieldNames);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => [name, ...fieldNames(each)]);
}

describe('arguments', () => {
  test('a focus area that does not exist is refused with the choices', async () => {
    await expect(text('analyze_scheduler_performance', { focus_area: 'speed' })).rejects.toThrow(
      /focus_area/,
    );
  });

  test.each(['0', '-1', '1.5', 'abc', '$(id)', ''])('the pid %j is refused', async (pid) => {
    await expect(text('debug_high_latency', { pid })).rejects.toThrow(/pid/);
  });

  test('the pid of no process is an error that says so', async () => {
    await expect(text('debug_high_latency', { pid: '4194303' })).rejects.toMatchObject({
      code: 'PID_NOT_FOUND',
    });
  });

  test('the pid is in the workflow', async () => {
    const pid = String(process.pid);
    expect(await text('debug_high_latency', { pid })).toContain(
      `stats://aggregated/process?pid=${pid}`,
    );
  }, 30_000);

  test('a scheduler name with shell characters is refused', async () => {
    await expect(
      text('investigate_scheduler_behavior', { scheduler_name: 'scx;id' }),
    ).rejects.toThrow(/scheduler_name/);
  });

  test('an unknown argument is refused by name', async () => {
    await expect(text('summarize_system', { verbose: 'yes' })).rejects.toThrow(/verbose/);
  });
});

describe('completion', () => {
  const complete = async (ref: object, name: string, value: string) => {
    const answer = await surface.complete({ type: '', ...ref }, { name, value }, ctx);
    return answer.completion.values;
  };

  test('offers the pids that start with what was typed', async () => {
    const pid = String(process.pid);
    const values = await complete(
      { type: 'ref/prompt', name: 'debug_high_latency' },
      'pid',
      pid.slice(0, -1),
    );
    expect(values).toContain(pid);
  });

  test('offers focus areas and scheduler names', async () => {
    const area = { type: 'ref/prompt', name: 'analyze_scheduler_performance' };
    expect(await complete(area, 'focus_area', 'l')).toEqual(['latency']);
    const scheduler = { type: 'ref/prompt', name: 'investigate_scheduler_behavior' };
    expect(await complete(scheduler, 'scheduler_name', 'scx_l')).toContain('scx_lavd');
  });

  test('offers the values of a template parameter', async () => {
    const { resourceTemplates } = surface.listResourceTemplates({ daemon: false, readOnly: false });
    const template = resourceTemplates.find(({ uriTemplate }) =>
      uriTemplate.startsWith('stats://aggregated/process'),
    );
    const ref = { type: 'ref/resource', uri: template?.uriTemplate };
    expect(await complete(ref, 'sort', 'w')).toEqual(['wait']);
  });
});
