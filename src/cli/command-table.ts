/** What a shell offers as the words of a command. */
type Words =
  | 'shells'
  | 'commands'
  | 'clients'
  | 'tools'
  | 'uris'
  | 'prompts'
  | 'files'
  | readonly string[];

export type Command = Readonly<{
  name: string;
  /** Its words after the name, as help shows them. */
  usage: string;
  help: string;
  words: Words;
  example?: string;
}>;

/** Every command, in the order of help; the first is what `tracewright` alone does. */
export const commandTable: readonly Command[] = [
  {
    name: 'summary',
    usage: '',
    help: 'what this machine is and does, and how to connect a client (default)',
    words: [],
  },
  {
    name: 'doctor',
    usage: '',
    help: 'what works here, what does not, and the command that fixes it',
    words: [],
  },
  {
    name: 'mcp',
    usage: '[--daemon]',
    help: 'serve MCP on stdin and stdout',
    words: [],
  },
  {
    name: 'config',
    usage: 'CLIENT',
    help: 'print, write or check the entry for an MCP client',
    words: 'clients',
    example: 'config vscode --write',
  },
  {
    name: 'setup',
    usage: 'sudo|systemd',
    help: 'how to install the helper, so that the server itself needs no root',
    words: ['sudo', 'systemd'],
  },
  { name: 'tools', usage: '', help: 'list the tools', words: [] },
  { name: 'resources', usage: '', help: 'list the resources', words: [] },
  { name: 'prompts', usage: '', help: 'list the prompts', words: [] },
  {
    name: 'call',
    usage: 'TOOL key=value…',
    help: 'call a tool',
    words: 'tools',
    example: 'call get_topology detail_level=full',
  },
  {
    name: 'read',
    usage: 'URI',
    help: 'read a resource',
    words: 'uris',
    example: "read 'stats://aggregated/process?limit=5'",
  },
  {
    name: 'prompt',
    usage: 'NAME key=value…',
    help: 'print a workflow',
    words: 'prompts',
    example: 'prompt debug_high_latency pid=1234',
  },
  {
    name: 'profile',
    usage: '[cpu|offcpu|FILE|ID] key=value…',
    help: 'flame graph (.svg .html .png), .folded, speedscope .json, pprof .pb.gz, .pftrace',
    words: 'files',
    example: 'profile duration_seconds=5 --out flame.svg --open',
  },
  {
    name: 'watch',
    usage: '',
    help: 'scheduler events live, one line each, until Ctrl-C',
    words: [],
    example: 'watch --types sched_switch --min-latency 1000',
  },
  {
    name: 'record',
    usage: '',
    help: 'what the scheduler does, as a trace for ui.perfetto.dev',
    words: [],
    example: 'record --seconds 5 --out trace.pftrace',
  },
  {
    name: 'report',
    usage: '',
    help: 'one HTML page: findings, topology, CPU use, latency, processes',
    words: [],
    example: 'report --out report.html',
  },
  {
    name: 'captures',
    usage: '[list|delete ID…]',
    help: 'what is kept; delete removes some of it',
    words: ['list', 'delete'],
  },
  {
    name: 'completion',
    usage: 'bash|zsh|fish',
    help: 'a script that completes commands, options and names in a shell',
    words: 'shells',
  },
  {
    name: 'audit',
    usage: '',
    help: 'what was executed and refused, for whom',
    words: [],
    example: 'audit --since 1h --refused',
  },
  {
    name: 'policy',
    usage: '[FILE]',
    help: 'what the administrator allows here; whether a file is a policy',
    words: 'files',
  },
  {
    name: 'help',
    usage: '[COMMAND]',
    help: 'this text, or more on one command',
    words: 'commands',
  },
];

/** What the process ends with, and when. */
export const exitCodes: readonly Readonly<{ code: string; meaning: string }>[] = [
  { code: '0', meaning: 'done' },
  { code: '1', meaning: 'failed' },
  { code: '2', meaning: 'wrong usage' },
  { code: '130, 143', meaning: 'ended by Ctrl-C, or SIGTERM, SIGHUP, SIGQUIT' },
];
