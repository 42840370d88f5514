import { describe, expect, test } from 'vitest';
import { surface } from '../../src/surface.ts';

const tool = (name: string) => {
  const found = surface.tools({ readOnly: false }).find((each) => each.name === name);
  if (!found) throw new Error(name);
  return surface.contractOf(found);
};

describe.each(['profile_script', 'profile_code', 'get_memory_leaks'])(
  '%s runs programs',
  (name) => {
    test('so it is gone from a read-only server and without its toolset', () => {
      const names = (selection: Parameters<typeof surface.tools>[0]) =>
        surface.tools(selection).map((each) => each.name);
      expect(names({ readOnly: true })).not.toContain(name);
      expect(names({ readOnly: false, toolsets: ['host', 'scheduler'] })).not.toContain(name);
      expect(names({ readOnly: false, toolsets: ['python'] })).toContain(name);
    });

    test('and says so', () => {
      expect(tool(name).annotations).toMatchObject({
        readOnlyHint: false,
        destructiveHint: true,
        openWorldHint: true,
      });
    });
  },
);

describe.each(['profile_script', 'profile_code'])('%s', (name) => {
  const properties: Record<string, { default?: unknown }> = Object(
    tool(name).inputSchema['properties'],
  );

  test.each([
    ['cpu', true],
    ['memory', true],
    ['gpu', false],
    ['stacks', false],
    ['cpu_sampling_rate', 0.01],
    ['profile_only', ''],
    ['profile_exclude', ''],
    ['reduced_profile', false],
    ['use_virtual_time', false],
    ['memory_leak_detector', true],
  ])('has the documented option %s with its default %j', (option, value) => {
    expect(properties[option]?.default).toBe(value);
  });

  test('has the two thresholds, whose defaults the environment may change', () => {
    expect(properties['cpu_percent_threshold']).not.toHaveProperty('default');
    expect(properties['malloc_threshold']).not.toHaveProperty('default');
  });
});
