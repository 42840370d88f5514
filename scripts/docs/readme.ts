import { uses } from '../../allowlist/uses.ts';
import { type Client, clients } from '../../src/cli/config/clients.ts';
import { entryIn, installLink } from '../../src/cli/config/entry.ts';
import { surface } from '../../src/surface.ts';
import { code, table } from './markdown.ts';

/** What clients start where the package comes from npm, without root. */
const fromNpm = { command: 'npx', args: ['-y', 'tracewright', 'mcp', '--daemon'] };

/** The parts of the README that are written from code, by the name between their markers. */
const sections: Readonly<Record<string, () => string>> = {
  programs: () =>
    table(
      ['Program', 'What for', 'Needs', 'Package (Debian, Fedora)'],
      uses.map(({ program, what, needs, packages }) => [
        program,
        what,
        needs ?? 'nothing',
        packages ? unique([packages.apt, packages.dnf]).map(code).join(', ') : 'pip',
      ]),
    ),
  tools: () => {
    const tools = surface.tools({ readOnly: false });
    return table(
      ['Set', 'Tools'],
      unique(tools.map(({ toolset }) => toolset)).map((set) => [
        code(set),
        tools
          .filter(({ toolset }) => toolset === set)
          .map(({ name }) => `[${code(name)}](docs/tools.md#${name})`)
          .join(', '),
      ]),
    );
  },
  resources: () =>
    table(
      ['Resource', 'What it tells'],
      surface.resources.map(({ uri, title }) => [code(uri), title]),
    ),
  prompts: () =>
    table(
      ['Prompt', 'What it leads through'],
      surface.prompts.map(({ name, title }) => [code(name), title]),
    ),
  clients: () =>
    clients
      .map((client) => {
        const link = installLink(client, fromNpm);
        const entry = { [client.key]: { tracewright: entryIn(client, fromNpm) } };
        const body =
          client.format === 'toml'
            ? [
                '```toml',
                '[mcp_servers.tracewright]',
                `command = "${fromNpm.command}"`,
                `args = ${spaced(fromNpm.args)}`,
                '```',
              ]
            : ['```json', spaced(entry), '```'];
        const command = client.command?.join(' ');
        return [
          `<details><summary>${client.title}</summary>`,
          '',
          ...placesOf(client),
          ...(command
            ? [`By command: ${code([command, fromNpm.command, ...fromNpm.args].join(' '))}`, '']
            : []),
          ...(link ? [`[Install in ${client.title}](${webLink(link)})`, ''] : []),
          ...body,
          '',
          client.afterwards,
          '',
          '</details>',
        ].join('\n');
      })
      .join('\n\n'),
};

function placesOf({ file, elsewhere }: Client): string[] {
  const places = [...(file === null ? [] : [`File: ${code(file)}`]), ...elsewhere];
  return places.length === 0 ? [] : [places.join('; '), ''];
}

/** GitHub makes links of https alone: both vendors have a page that leads on to the program. */
function webLink(link: string): string {
  if (link.startsWith('vscode:')) {
    return `https://insiders.vscode.dev/redirect?url=${encodeURIComponent(link)}`;
  }
  return `https://cursor.com/en/install-mcp?${new URL(link).search.slice(1)}`;
}

/** The README with its generated parts written anew. Throws where a marker names none. */
export function withSections(readme: string): string {
  return readme.replaceAll(
    /(<!-- begin (\w+) -->\n)[\s\S]*?(<!-- end \2 -->)/g,
    (_all, begin: string, name: string, end: string) => {
      const section = sections[name];
      if (!section) throw new Error(`README.md: there is no generated part "${name}"`);
      return `${begin}\n${section()}\n\n${end}`;
    },
  );
}

/** On one line, with room between. */
const spaced = (value: object): string =>
  JSON.stringify(value, null, 1)
    .replaceAll(/\n\s*/g, ' ')
    .replaceAll(/\[ | \]/g, (each) => each.trim());

const unique = (values: readonly string[]): string[] => [...new Set(values)];
