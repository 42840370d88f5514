/** What a shell offers after an option that takes a value. */
type Offer = 'files' | 'folders' | 'toolsets' | 'tools' | 'event-types' | readonly string[];

export type Option = Readonly<{
  type: 'boolean' | 'string';
  short?: string;
  multiple?: true;
  /** What its value stands for in help; only with `string`. */
  value?: string;
  offer?: Offer;
  /** The commands that know it; without this all do. */
  for?: readonly string[];
  help: string;
}>;

/**
 * Every option, in the order of help. The arguments are parsed by this table, and help, the man page
 * and shell completion are written from it.
 */
export const options = {
  json: { type: 'boolean', help: 'JSON instead of text' },
  types: {
    type: 'string',
    value: 'a,b',
    offer: 'event-types',
    for: ['watch'],
    help: 'events to watch; a wrong one is answered with all there are',
  },
  pid: {
    type: 'string',
    value: 'N',
    for: ['watch', 'record'],
    help: 'only this process; of a recording only its wakeups and stacks',
  },
  'min-latency': {
    type: 'string',
    value: 'US',
    for: ['watch'],
    help: 'only switches to tasks that waited so many microseconds for a CPU',
  },
  duration: {
    type: 'string',
    value: 'S',
    for: ['watch'],
    help: 'end after so many seconds; default and at most 3600',
  },
  seconds: {
    type: 'string',
    value: 'N',
    for: ['record', 'report'],
    help: 'how long to record or to watch; default 5',
  },
  'sample-hz': {
    type: 'string',
    value: 'N',
    for: ['record'],
    help: 'call stacks in the trace, so many per second and CPU; default none',
  },
  out: {
    type: 'string',
    value: 'FILE',
    offer: 'files',
    for: ['profile', 'record', 'report'],
    help: 'where to put it; a profile is written in the format of the name',
  },
  open: { type: 'boolean', for: ['profile'], help: 'show the flame graph in a browser' },
  write: {
    type: 'boolean',
    for: ['config'],
    help: 'put the entry into the file of the client; the rest of it stays as it is',
  },
  check: {
    type: 'boolean',
    for: ['config'],
    help: 'start the configured server as the client would, and say what it answers',
  },
  via: {
    type: 'string',
    value: 'WAY',
    offer: ['direct', 'sudo', 'ssh'],
    for: ['config'],
    help: 'direct, sudo (as root the default) or, from another machine, "ssh HOST"',
  },
  daemon: {
    type: 'boolean',
    short: 'd',
    for: ['mcp', 'resources', 'read'],
    help: 'keep baselines between reads, and offer subscriptions',
  },
  once: { type: 'boolean', for: ['mcp'], help: 'exit after the first request' },
  http: {
    type: 'boolean',
    for: ['mcp'],
    help: 'serve MCP on http://localhost:7373/mcp, with a bearer token',
  },
  port: { type: 'string', value: 'N', for: ['mcp'], help: 'another port for --http' },
  host: { type: 'string', value: 'ADDR', for: ['mcp'], help: 'listen there, beyond loopback' },
  'token-file': {
    type: 'string',
    value: 'FILE',
    offer: 'files',
    for: ['mcp'],
    help: 'file with the bearer token, yours alone; default: one is made',
  },
  'allow-origin': {
    type: 'string',
    multiple: true,
    value: 'URL',
    for: ['mcp'],
    help: 'let web pages of an origin ask (repeat)',
  },
  'read-only': {
    type: 'boolean',
    help: 'offer nothing that attaches, records or writes',
  },
  offline: {
    type: 'boolean',
    help: 'only analyse: imports, kept captures and their views; nothing of this machine',
  },
  slim: {
    type: 'boolean',
    for: ['mcp', 'tools', 'call'],
    help: 'offer a dozen essential tools, and those that --tools or --toolsets name',
  },
  toolsets: {
    type: 'string',
    value: 'a,b',
    offer: 'toolsets',
    for: ['mcp', 'tools', 'call'],
    help: 'offer only these toolsets',
  },
  tools: {
    type: 'string',
    value: 'a,b',
    offer: 'tools',
    for: ['mcp', 'tools', 'call'],
    help: 'offer only these tools',
  },
  'exclude-tools': {
    type: 'string',
    value: 'a,b',
    offer: 'tools',
    for: ['mcp', 'tools', 'call'],
    help: 'offer all but these tools',
  },
  'python-root': {
    type: 'string',
    multiple: true,
    value: 'DIR',
    offer: 'folders',
    help: 'folder whose Python programs may be run (repeat; default: the working folder)',
  },
  'python-as-root': {
    type: 'boolean',
    help: 'run them as root where the server is root; else as their owner, or nobody',
  },
  'import-root': {
    type: 'string',
    multiple: true,
    value: 'DIR',
    offer: 'folders',
    help: 'folder from which profiles may be imported (repeat; default: the working folder)',
  },
  audit: {
    type: 'string',
    value: 'WHERE',
    help: 'record what is executed and refused: file (as root; else: none), journald, a FILE, none',
  },
  since: {
    type: 'string',
    value: 'T',
    for: ['audit'],
    help: 'of the last 30m, 1h, 2d or since a date',
  },
  refused: { type: 'boolean', for: ['audit'], help: 'only what was refused' },
  'show-arguments': {
    type: 'boolean',
    help: 'command lines with what looks like a credential in them; else it is masked',
  },
  'show-addresses': { type: 'boolean', help: 'addresses of the kernel; else they are 0x0' },
  policy: {
    type: 'string',
    value: 'FILE',
    offer: 'files',
    help: 'restrict it more than /etc/tracewright/policy.json does',
  },
  'state-dir': {
    type: 'string',
    value: 'DIR',
    offer: 'folders',
    help: 'where captures are kept; default ~/.local/state/tracewright',
  },
  helper: {
    type: 'string',
    value: 'H',
    offer: ['auto', 'sudo', 'socket', 'none'],
    help: 'who traces where we are not root: auto (default), sudo, socket, none',
  },
  'stats-socket-path': {
    type: 'string',
    value: 'PATH',
    offer: 'files',
    help: 'where the scheduler serves its scx_stats',
  },
  mcp: { type: 'boolean', for: [], help: 'the same as the command mcp' },
  'mcp-daemon': { type: 'boolean', for: [], help: 'the same as mcp --daemon' },
  help: { type: 'boolean', short: 'h', help: 'this text, or more on the command' },
  version: { type: 'boolean', short: 'V', help: 'the version' },
} as const satisfies Readonly<Record<string, Option>>;

/** The options among these values that the command does not know: there they would do nothing. */
export const foreignTo = (command: string, values: Readonly<Record<string, unknown>>): string[] =>
  Object.entries<Option>(options).flatMap(([name, { for: users = [] }]) =>
    values[name] === undefined || users.length === 0 || users.includes(command) ? [] : [name],
  );
