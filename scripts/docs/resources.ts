import { userInfo } from 'node:os';
import { surface } from '../../src/surface.ts';
import { unitOf } from './fields.ts';
import { code, generated, table } from './markdown.ts';

/** What reads of each resource answered: the type of each field, by its name, and what measured it. */
export type Seen = Readonly<
  Record<string, Readonly<{ source: string | null; fields: Readonly<Record<string, string>> }>>
>;

/** docs/resources.md: every resource with its parameters and the fields of its answer. */
export function resourcesPage(seen: Seen): string {
  return [
    generated,
    '# Resources',
    '',
    'A read answers these fields, and beside them `summary`, `source`, `window_ms` where there is a rate, and',
    '`unavailable`: what could not be measured, why, and the command that changes it. A field that could not be',
    'measured is `null`. From a shell: `tracewright read URI`; for clients without resources: `read_resource`.',
    '',
    'Fields and types are those that reads answered on the machines of the tests (`npm run docs -- --record`), so a',
    'field that no such machine had is missing, and `null` stands where none had a value.',
    '',
    ...surface.resources.flatMap((resource) => {
      const known = seen[resource.uri];
      return [
        `## ${code(resource.uri)}`,
        '',
        `**${resource.title}.** ${resource.description}`,
        '',
        ...(resource.daemonOnly ? ['Only of servers with `--daemon`.', ''] : []),
        ...(resource.mimeType === 'application/json'
          ? []
          : [`Type: ${code(resource.mimeType)}.`, '']),
        ...(resource.parameters.length === 0 ? [] : [`Parameters: ${resource.help}.`, '']),
        ...(known ? seenFields(known) : []),
      ];
    }),
  ].join('\n');
}

function seenFields({ source, fields }: Seen[string]): string[] {
  return [
    ...(source === null
      ? []
      : [`Source: ${source.replace(`${userInfo().homedir}/.local/`, '~/.local/')}.`, '']),
    '<details><summary>Fields</summary>',
    '',
    table(
      ['Field', 'Type', 'Unit'],
      Object.entries(fields).map(([name, type]) => [code(name), type, unitOf(name)]),
    ),
    '',
    '</details>',
    '',
  ];
}
