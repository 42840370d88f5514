import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pythonSettings } from '../../src/python-settings.ts';
import { surface } from '../../src/surface.ts';
import { connectV2 } from '../mcp/connect.ts';
import { initialize, pipe } from '../server/stdio.ts';
import documented from './documented-names.json' with { type: 'json' };

type Documented = Readonly<{ required?: boolean; default?: unknown; values?: readonly string[] }>;

const { scheduler, host, python } = documented;
/** What is deliberately not as documented, by its dotted name, and why. */
const otherwise = new Map(Object.entries(documented.otherwise));

const tools = Object.entries({ ...scheduler.tools, ...host.tools, ...python.tools });
const contracts = new Map(
  surface
    .tools({ readOnly: false })
    .map(surface.contractOf)
    .map(({ name, inputSchema }) => [name, inputSchema]),
);

let server: Awaited<ReturnType<typeof connectV2>>;
beforeAll(async () => {
  server = await connectV2(process.execPath, ['dist/cli.js', 'mcp', '--daemon']);
});
afterAll(() => server.close());

describe('every documented tool', () => {
  const parameters = tools.flatMap(([tool, given]) =>
    Object.entries<Documented>(given).map(([name, is]) => ({ tool, name, is })),
  );
  let listed = new Map<string, Record<string, unknown>>();
  beforeAll(async () => {
    const { tools: all } = await server.client.listTools();
    listed = new Map(all.map((each) => [each.name, { ...each.inputSchema.properties }]));
  });

  test.each(tools.map(([name]) => name).filter((name) => !otherwise.has(name)))(
    '%s is listed',
    (name) => expect([...listed.keys()]).toContain(name),
  );

  test.each(parameters)('$tool takes $name as documented', ({ tool, name, is }) => {
    expect(Object.keys(listed.get(tool) ?? {})).toContain(name);
    const { properties, required } = Object(contracts.get(tool));
    const { enum: values = [], default: usual } = properties[name];
    const dotted = `${tool}.${name}`;
    if (is.values) expect(values).toEqual(expect.arrayContaining([...is.values]));
    if ('default' in is && !otherwise.has(`${dotted}.default`)) expect(usual).toEqual(is.default);
    if (is.required && !otherwise.has(`${dotted}.required`)) expect(required).toContain(name);
  });
});

test('every documented resource is listed', async () => {
  const { resources } = await server.client.listResources();
  const uris = resources.map(({ uri }) => uri);
  expect(uris).toEqual(expect.arrayContaining(scheduler.resources));
});

test('every documented prompt is listed with its arguments, all optional', async () => {
  const { prompts } = await server.client.listPrompts();
  const listed = new Map(prompts.map((each) => [each.name, each.arguments ?? []]));
  for (const [name, args] of Object.entries(scheduler.prompts)) {
    for (const argument of Object.keys(args)) {
      const found = listed.get(name)?.find((each) => each.name === argument);
      expect(found, `${name} ${argument}`).toBeDefined();
      expect(found?.required ?? false).toBe(false);
    }
    expect([...listed.keys()]).toContain(name);
  }
});

test.each(scheduler.prompts.analyze_scheduler_performance.focus_area)(
  'focus_area %s gives a workflow of its own',
  async (focus_area) => {
    const { messages } = await server.client.getPrompt({
      name: 'analyze_scheduler_performance',
      arguments: { focus_area },
    });
    expect(JSON.stringify(messages)).toContain(focus_area);
  },
);

test('every documented event type is known to control_event_tracking, here or with a reason', async () => {
  const answer = await server.client.callTool({
    name: 'control_event_tracking',
    arguments: { action: 'status' },
  });
  const text = JSON.stringify(answer.structuredContent);
  for (const type of scheduler.event_types) expect(text).toContain(`"${type}"`);
});

test('every documented field of an answer is there, and of an error', async () => {
  const good = await server.client.callTool({ name: 'perf_info', arguments: {} });
  expect(Object.keys(Object(good.structuredContent))).toEqual(expect.arrayContaining(host.answer));
  const bad = await server.client.callTool({
    name: 'perf_fd_trace',
    arguments: { pid: 4_194_303 },
  });
  const { text } = Object(bad.content)[0];
  const { success, error } = JSON.parse(text);
  expect(success).toBe(false);
  expect(Object.keys(error)).toEqual(expect.arrayContaining(host.error));
});

test.each(scheduler.commands.map((words) => ({ words })))('$words serves MCP', ({ words }) => {
  expect(pipe(initialize('2024-11-05'), words).messages[0]?.result).toBeDefined();
});

test('every documented environment variable changes the settings', () => {
  const settings = (more: object) =>
    JSON.stringify(pythonSettings({ PATH: '/usr/bin', ...more }, '/srv'));
  for (const name of python.environment) {
    expect(settings({ [name]: '31' }), name).not.toBe(settings({}));
  }
});

test('what is said to be otherwise is a documented name', () => {
  const names = tools.flatMap(([tool, given]) => [
    tool,
    ...Object.entries<Documented>(given).flatMap(([name, is]) =>
      Object.keys(is).map((what) => `${tool}.${name}.${what}`),
    ),
  ]);
  expect(names).toEqual(expect.arrayContaining([...otherwise.keys()]));
});
