/** Where an MCP client keeps its servers, and under which names. */
export type Client = Readonly<{
  name: string;
  title: string;
  format: 'json' | 'jsonc' | 'toml';
  /** Its configuration file on Linux; null where there is none of its own. */
  file: string | null;
  /** Below this key of the file stand the servers, by name. */
  key: string;
  /** What its entries have beside `command` and `args`. */
  extra?: Readonly<Record<string, string>>;
  /** Where the file lies on other systems, for a client that is not on this machine. */
  elsewhere: readonly string[];
  /** The same by a command of the client's, with its words before ours. */
  command?: readonly string[];
  /** A link that installs a server with one click. */
  link?: 'vscode' | 'cursor';
  /** What has to be done for it to read the file again. */
  afterwards: string;
}>;

/**
 * The clients that `tracewright config` knows, as their own documentation had it in November 2026.
 * `jsonc`: the client takes comments and trailing commas.
 */
export const clients: readonly Client[] = [
  {
    name: 'claude-desktop',
    title: 'Claude Desktop',
    format: 'json',
    file: '~/.config/Claude/claude_desktop_config.json',
    key: 'mcpServers',
    elsewhere: [
      'macOS: ~/Library/Application Support/Claude/claude_desktop_config.json',
      'Windows: %APPDATA%\\Claude\\claude_desktop_config.json',
    ],
    afterwards:
      'Quit Claude Desktop before and start it after: it reads the file once and writes it too.',
  },
  {
    name: 'claude-code',
    title: 'Claude Code',
    format: 'json',
    file: '~/.claude.json',
    key: 'mcpServers',
    extra: { type: 'stdio' },
    elsewhere: ['a project: .mcp.json in its root'],
    command: ['claude', 'mcp', 'add', '--scope', 'user', 'tracewright', '--'],
    afterwards: 'Start a new session; /mcp shows its state.',
  },
  {
    name: 'vscode',
    title: 'VS Code',
    format: 'jsonc',
    file: '~/.config/Code/User/mcp.json',
    key: 'servers',
    extra: { type: 'stdio' },
    elsewhere: [
      'macOS: ~/Library/Application Support/Code/User/mcp.json',
      'Windows: %APPDATA%\\Code\\User\\mcp.json',
      'a workspace: .vscode/mcp.json',
    ],
    link: 'vscode',
    afterwards: 'Run "MCP: List Servers" and start it.',
  },
  {
    name: 'cursor',
    title: 'Cursor',
    format: 'json',
    file: '~/.cursor/mcp.json',
    key: 'mcpServers',
    elsewhere: ['a project: .cursor/mcp.json'],
    link: 'cursor',
    afterwards: 'It appears in the settings of Cursor, under MCP.',
  },
  {
    name: 'windsurf',
    title: 'Windsurf',
    format: 'json',
    file: '~/.codeium/windsurf/mcp_config.json',
    key: 'mcpServers',
    elsewhere: ['Windows: %USERPROFILE%\\.codeium\\windsurf\\mcp_config.json'],
    afterwards: 'Press Refresh in the MCP panel of Cascade.',
  },
  {
    name: 'zed',
    title: 'Zed',
    format: 'jsonc',
    file: '~/.config/zed/settings.json',
    key: 'context_servers',
    elsewhere: ['Windows: %APPDATA%\\Zed\\settings.json'],
    afterwards: 'Zed reads it at once; its agent settings show a green dot.',
  },
  {
    name: 'gemini',
    title: 'Gemini CLI',
    format: 'jsonc',
    file: '~/.gemini/settings.json',
    key: 'mcpServers',
    elsewhere: ['a project: .gemini/settings.json'],
    afterwards: 'Start it anew; /mcp shows its state.',
  },
  {
    name: 'codex',
    title: 'Codex',
    format: 'toml',
    file: '~/.codex/config.toml',
    key: 'mcp_servers',
    elsewhere: [],
    command: ['codex', 'mcp', 'add', 'tracewright', '--'],
    afterwards: 'Start it anew; /mcp shows its state.',
  },
  {
    name: 'generic',
    title: 'any other client',
    format: 'json',
    file: null,
    key: 'mcpServers',
    elsewhere: [],
    afterwards: 'Put it where the client keeps its MCP servers.',
  },
];
