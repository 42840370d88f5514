import { surface } from '../../src/surface.ts';
import type { Effect, Tool } from '../../src/tools/define-tool.ts';
import { schemaFields, unitOf } from './fields.ts';
import { code, generated, table } from './markdown.ts';

const effects: Readonly<Record<Effect, string>> = {
  read: 'Looks at files and listings; changes nothing.',
  capture: 'Attaches or records for a while; changes nothing. Not offered with `--read-only`.',
  run: 'Runs a program of yours, which may do anything that its user may. Not offered with `--read-only`.',
};

/** docs/tools.md: every tool with its arguments and the fields of its answer. */
export function toolsPage(): string {
  const tools = surface.tools({ readOnly: false });
  const sets = [...new Set(tools.map(({ toolset }) => toolset))];
  return [
    generated,
    '# Tools',
    '',
    'A call answers `summary` (a few lines), `data` (below), `source` (what measured it), `window_ms` where there',
    'is a rate, `warnings`, and `unavailable`: what could not be measured, why, and the command that changes it.',
    'Where rows were left out there are `truncated`, `total` and `next`, the call that gets the rest. From a shell:',
    '`tracewright call NAME argument=value`.',
    '',
    ...sets.flatMap((set) => [
      `## Toolset ${code(set)}`,
      '',
      ...tools.filter(({ toolset }) => toolset === set).flatMap(toolSection),
    ]),
  ].join('\n');
}

function toolSection(tool: Tool): string[] {
  const { title, inputSchema, outputSchema } = surface.contractOf(tool);
  const args = Object.entries(Object(inputSchema['properties']));
  const required: readonly string[] = Object(inputSchema)['required'] ?? [];
  const fields = schemaFields(Object(Object(outputSchema['properties'])['data']));
  return [
    `### ${code(tool.name)}`,
    '',
    `**${title}.** ${tool.description}`,
    '',
    effects[tool.effect],
    '',
    args.length === 0
      ? 'No arguments.'
      : table(
          ['Argument', 'Type', 'Default', 'Meaning'],
          args.map(([name, property]) =>
            argumentRow(name, Object(property), required.includes(name)),
          ),
        ),
    '',
    ...(fields.length === 0
      ? []
      : [
          '<details><summary>Fields of <code>data</code></summary>',
          '',
          table(
            ['Field', 'Type', 'Unit'],
            fields.map(({ name, type }) => [code(name), type, unitOf(name)]),
          ),
          '',
          '</details>',
          '',
        ]),
  ];
}

type Property = Readonly<Record<string, unknown>>;

function argumentRow(name: string, property: Property, isRequired: boolean): string[] {
  const { default: usual, description } = property;
  const none = isRequired ? 'required' : '';
  return [
    code(name),
    typeWords(property),
    usual === undefined ? none : code(JSON.stringify(usual)),
    String(description ?? ''),
  ];
}

function typeWords(property: Property): string {
  const { type, enum: values, items, minimum, maximum, maxLength, maxItems } = property;
  if (Array.isArray(values)) return values.map((value) => code(String(value))).join(', ');
  if (type === 'array') {
    return `list of ${typeWords(Object(items))}${maxItems === undefined ? '' : `, at most ${maxItems}`}`;
  }
  const kind = Array.isArray(type) ? type.join(' or ') : String(type ?? 'any');
  if (minimum !== undefined && maximum !== undefined) return `${kind}, ${minimum} to ${maximum}`;
  if (minimum !== undefined) return `${kind}, from ${minimum}`;
  return maxLength === undefined ? kind : `${kind}, up to ${maxLength} characters`;
}
