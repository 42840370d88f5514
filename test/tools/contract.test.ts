import { describe, expect, test } from 'vitest';
import { instructions, slimInstructions } from '../../src/instructions.ts';
import { surface } from '../../src/surface.ts';

const everything = { readOnly: false };
const { tools } = surface.listTools(everything);

describe.each(surface.tools(everything).map(surface.contractOf))('$name', (tool) => {
  test('takes and answers what is committed in test/contract', async () => {
    const text = `${JSON.stringify(tool, null, 2)}\n`;
    await expect(text).toMatchFileSnapshot(`../contract/${tool.name}.json`);
  });

  test('has a description that clients do not cut', () => {
    expect(tool.description.length).toBeLessThanOrEqual(2048);
    expect(tool.description.length).toBeGreaterThan(80);
  });

  test('takes flat arguments that are each explained', () => {
    for (const property of Object.values(Object(tool.inputSchema['properties']))) {
      expect(property).toHaveProperty('description');
      expect(property).not.toHaveProperty('properties');
      expect(property).not.toHaveProperty('anyOf');
    }
  });
});

test('tools/list with everything on stays below 10,000 tokens', () => {
  expect(JSON.stringify({ tools }).length / 4).toBeLessThan(10_000);
});

test('tools/list of --slim stays below 3,000 tokens', () => {
  const slim = surface.listTools({ ...everything, slim: true });
  expect(JSON.stringify(slim).length / 4).toBeLessThan(3000);
});

const toolWords =
  /\b(?:perf|get|list|profile|control|enable|disable|read|query|record|reset|start|stop|trace|analyze|compare)_[a-z_]+\b/g;
const namesIn = (text: string): string[] => [...new Set(text.match(toolWords) ?? [])].sort();
const allNames = tools.map(({ name }) => name);
/** Arguments and results that look like tools. */
const otherWords = ['profile_id', 'trace_ms', 'profile_only', 'trace_id'];

describe.each([
  ['of all tools', instructions],
  ['of --slim', slimInstructions],
])('the instructions %s', (_of, text) => {
  test('are not cut by clients', () => expect(text.length).toBeLessThanOrEqual(2048));

  test('name resources and prompts that exist', () => {
    const uris = [...text.matchAll(/\b[a-z]+:\/\/[a-z/]+[a-z]/g)].map(([uri]) => uri);
    const known = surface.resources.map(({ uri }) => uri);
    for (const uri of uris)
      expect(
        known.some((each) => each.startsWith(uri)),
        uri,
      ).toBe(true);
    const prompts = [...text.matchAll(/prompt ([a-z_]+)/g)].map(([, name]) => name);
    for (const name of prompts) expect(surface.prompts.map((each) => each.name)).toContain(name);
  });
});

test('the instructions and descriptions name tools that exist', () => {
  for (const text of [instructions, ...tools.map(({ description }) => description)]) {
    for (const name of namesIn(text)) expect([...allNames, ...otherWords]).toContain(name);
  }
});

test('the instructions of --slim name exactly the tools of --slim', () => {
  const slim = surface.tools({ ...everything, slim: true }).map(({ name }) => name);
  const named = namesIn(slimInstructions).filter((name) => !otherWords.includes(name));
  expect(named).toEqual(slim.toSorted());
});

/** What is neither a first call nor the only tool of its kind says which of the others fits when. */
test('a tool that captures names another one to use instead, before or after', () => {
  const lonely = surface
    .tools(everything)
    .filter(({ effect }) => effect === 'capture')
    .filter(({ description }) => !description.includes('://'))
    .filter(({ name, description }) => namesIn(description).every((each) => each === name))
    .map(({ name }) => name);
  expect(lonely).toEqual([]);
});

describe('the selection at start', () => {
  const names = (selection: Parameters<typeof surface.tools>[0]) =>
    surface.tools(selection).map((tool) => tool.name);

  test('--read-only leaves out what captures', () => {
    const offered = names({ readOnly: true });
    expect(offered).toContain('get_topology');
    expect(offered).not.toContain('start_perf_profiling');
  });

  test('--read-only wins over --tools', () => {
    expect(names({ readOnly: true, tools: ['start_perf_profiling'] })).toEqual([]);
  });

  test('--slim with names offers those, too', () => {
    const slim = names({ readOnly: false, slim: true });
    expect(slim).not.toContain('profile_script');
    const more = names({ readOnly: false, slim: true, tools: ['profile_script'] });
    expect(more.toSorted()).toEqual([...slim, 'profile_script'].toSorted());
    const python = names({ readOnly: false, slim: true, toolsets: ['python'] });
    expect(python).toEqual(expect.arrayContaining([...slim, 'profile_script', 'list_profiles']));
  });

  test('--tools offers exactly those', () => {
    expect(names({ readOnly: false, tools: ['get_topology'] })).toEqual(['get_topology']);
  });

  test('--exclude-tools wins over --toolsets', () => {
    const offered = names({
      readOnly: false,
      toolsets: ['scheduler'],
      excludeTools: ['get_topology'],
    });
    expect(offered).toContain('list_events');
    expect(offered).not.toContain('get_topology');
  });

  test.each([
    [{ readOnly: false, tools: ['get_topolgy'] }, 'get_topolgy'],
    [{ readOnly: false, toolsets: ['schedulr'] }, 'schedulr'],
    [{ readOnly: false, excludeTools: ['x'] }, 'x'],
  ])('a name that does not exist is refused: %o', (selection, name) => {
    expect(() => names(selection)).toThrow(name);
  });
});
