import { describe, expect, test } from 'vitest';
import { instructions } from '../../src/instructions.ts';
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

test('the instructions are not cut by clients', () => {
  expect(instructions.length).toBeLessThanOrEqual(2048);
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
