import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/client/validators/ajv';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { surface } from '../../src/surface.ts';
import { type RealClient, realClients } from './real-clients.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });

const room = mkdtempSync(join(tmpdir(), 'tracewright-packed-'));
const app = join(room, 'app');
const cli = join(app, 'node_modules/tracewright/dist/cli.js');
let packed: { filename: string; size: number; files: { path: string }[] };

beforeAll(() => {
  // Readable for everybody: the server also runs as another user.
  chmodSync(room, 0o755);
  mkdirSync(app);
  writeFileSync(join(app, 'stacks.folded'), 'main;work 7\nmain;read 3\n');
  execFileSync(process.execPath, ['scripts/setup.mjs'], { stdio: 'inherit' });
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', room];
  [packed] = JSON.parse(execFileSync('npm', pack, { encoding: 'utf8', stdio: 'pipe' }));
  const tarball = join(room, packed.filename);
  const install = ['install', '--offline', '--ignore-scripts', '--cache', join(room, 'cache')];
  execFileSync('npm', [...install, tarball], { cwd: app, stdio: 'pipe' });
});

afterAll(() => rmSync(room, { recursive: true, force: true }));

describe('the package', () => {
  test('holds the program, its scripts, its papers and nothing else', () => {
    const scripts = ['scripts/bpftrace', 'scripts/python']
      .flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile() && /\.(?:bt|py)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name));
    const papers = [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'man/tracewright.1',
      'package.json',
      'skills/tracewright/SKILL.md',
    ];
    const files = packed.files.map(({ path }) => path);
    const notices = /^dist\/(cli\.js\.LEGAL\.txt|THIRD_PARTY_NOTICES\S*)$/;
    expect(files.filter((path) => !notices.test(path)).sort()).toEqual(
      [...papers, ...scripts, 'dist/cli.js'].sort(),
    );
    expect(files.some((path) => notices.test(path))).toBe(true);
  });

  test('is at most 1 MB', () => {
    expect(packed.size).toBeLessThanOrEqual(1_000_000);
  });

  test('installs without network and without a dependency', () => {
    const installed = readdirSync(join(app, 'node_modules')).filter(
      (name) => !name.startsWith('.'),
    );
    expect(installed).toEqual(['tracewright']);
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    const bin = join(app, 'node_modules/.bin/tracewright');
    expect(execFileSync(bin, ['--version'], { encoding: 'utf8' }).trim()).toBe(version);
    expect(statSync(bin).mode & 0o111).not.toBe(0);
  });
});

const documented = {
  resources: [
    'scheduler://current',
    'stats://scheduler/scx',
    'topology://info',
    'stats://aggregated/cpu',
    'stats://aggregated/llc',
    'stats://aggregated/node',
    'stats://aggregated/process',
    'stats://system/cpu',
    'stats://system/memory',
    'stats://system/network',
    'events://perf',
    'events://kprobe',
    'bpf://programs',
    'profiling://perf/status',
    'profiling://perf/results',
  ],
  tools: [
    'query_stats',
    'get_topology',
    'list_events',
    'start_perf_profiling',
    'stop_perf_profiling',
    'get_perf_results',
    'read_resource',
  ],
  prompts: [
    'analyze_scheduler_performance',
    'debug_high_latency',
    'analyze_cpu_imbalance',
    'investigate_scheduler_behavior',
    'summarize_system',
    'profile_system',
  ],
};

type Arguments = Readonly<Record<string, unknown>>;

/** Half a second of work in a function that stands out. */
const code = 'def hot():\n    s = 0\n    for i in range(9000000):\n        s += i % 7\nhot()\n';
const ofProfile = (profile_id: string): Arguments => ({ profile_id });

/**
 * The least that each tool needs, in an order in which a profile starts, stops and has results. The
 * views of a Python profile get the id of the one that was made last.
 */
const least: Readonly<Record<string, Arguments | ((profile_id: string) => Arguments)>> = {
  query_stats: {},
  get_topology: {},
  list_events: { subsystem: 'sched' },
  read_resource: { uri: 'topology://info' },
  start_perf_profiling: { freq: 99, duration_secs: 20 },
  stop_perf_profiling: {},
  get_perf_results: {},
  enable_collection: {},
  get_scheduling_stats: {},
  get_top_processes: {},
  reset_stats: {},
  disable_collection: {},
  control_event_tracking: { action: 'status' },
  read_events: {},
  record_trace: { duration_seconds: 1 },
  trace_kernel_functions: { functions: ['schedule'], mode: 'count', duration_s: 1 },
  perf_info: {},
  perf_snapshot: {},
  perf_use_check: {},
  perf_io_latency: { duration_seconds: 1 },
  perf_net_health: {},
  perf_cgroup_summary: {},
  perf_fd_trace: { pid: 1, duration_seconds: 1 },
  perf_thread_profile: { pid: 1, duration_seconds: 1 },
  perf_cpu_profile: { duration_seconds: 1 },
  perf_offcpu_profile: { duration_seconds: 1 },
  perf_bio_latency: { duration_seconds: 1 },
  perf_runq_latency: { duration_seconds: 1 },
  perf_tcp_trace: { duration_seconds: 1 },
  perf_syscall_count: { duration_seconds: 1 },
  perf_exec_trace: { duration_seconds: 1 },
  perf_file_trace: { duration_seconds: 1 },
  perf_dns_latency: { duration_seconds: 1 },
  perf_io_layers: { duration_seconds: 1 },
  perf_vfs_latency: { duration_seconds: 1 },
  perf_triage: { mode: 'quick' },
  profile_view: { capture: 'stacks.folded' },
  profile_code: { code, cpu_only: true },
  profile_script: { script_path: 'absent.py' },
  list_profiles: {},
  get_profile: ofProfile,
  analyze_profile: ofProfile,
  get_cpu_hotspots: ofProfile,
  get_memory_hotspots: ofProfile,
  get_gpu_hotspots: ofProfile,
  get_bottlenecks: ofProfile,
  get_memory_leaks: ofProfile,
  get_function_summary: ofProfile,
  get_file_details: (profile_id) => ({ profile_id, filename: 'snippet.py' }),
  compare_profiles: (profile_id) => ({ before_id: profile_id, after_id: profile_id }),
};

/** Tools that measure by tracing, and those of a profile: one client for each user calls them all. */
const cheap = new Set(
  surface
    .tools({ readOnly: true, toolsets: ['scheduler', 'host'] })
    .map(({ name }) => name)
    .concat('start_perf_profiling', 'stop_perf_profiling'),
);

/** What root may be refused as well, for this host: a missing program, a kernel without probes. */
const mayBeAbsent = /^(?:trace_kernel_functions|profile_(?!view)|get_(?!perf)|analyze_|compare_)/;

const asNobody = [
  '/usr/bin/setpriv',
  '--reuid=65534',
  '--regid=65534',
  '--clear-groups',
  '--reset-env',
] as const;
const server = [process.execPath, cli, 'mcp'] as const;
const users: { user: string; argv: readonly [string, ...string[]] }[] =
  process.geteuid?.() === 0
    ? [
        { user: 'root', argv: server },
        { user: 'nobody', argv: [...asNobody, ...server] },
      ]
    : [{ user: 'this user', argv: server }];

const hasPerf = existsSync('/usr/bin/perf');

const sessions = users.flatMap(({ user, argv }) =>
  realClients.map((real) => ({
    ...real,
    user,
    argv: [
      ...argv,
      '--state-dir',
      join(room, `state-${user}-${real.label.replaceAll(/\W/g, '')}`),
    ] as const,
    callsAll: real.label === 'SDK 2.x, initialize',
  })),
);

// Side by side: most of the time a server waits for the window that it measures.
describe.concurrent.each(sessions)('$label as $user', (session) => {
  const { user, argv, keepsServer, connect, callsAll } = session;
  const validator = new AjvJsonSchemaValidator();
  let client: RealClient;
  beforeAll(async () => {
    client = await connect(argv, app);
  });
  afterAll(() => client.close());

  test('lists what is documented', async () => {
    const tools = await client.tools();
    expect(bytes(tools)).toBeLessThanOrEqual(token_cap_bytes);
    expect(tools.map((each) => each.name)).toEqual(expect.arrayContaining(documented.tools));
    const prompts = (await client.prompts()).map((each) => each.name);
    expect(prompts).toEqual(expect.arrayContaining(documented.prompts));
    expect(await client.resources()).toEqual(expect.arrayContaining(documented.resources));
    expect(await client.templates()).not.toEqual([]);
  });

  test('reads every resource', async () => {
    const uris = await client.resources();
    const answers = await Promise.all(uris.map((uri) => settled(client.read(uri))));
    for (const [index, { text, error }] of answers.entries()) {
      const uri = uris[index];
      if (error === undefined) expect(Object.keys(JSON.parse(text)), uri).not.toEqual([]);
      else if (user === 'root') throw new Error(`${uri}: ${error}`);
      else expect(error, uri).toMatch(/\w+ \w+/);
      expect(Buffer.byteLength(text), uri).toBeLessThanOrEqual(token_cap_bytes);
    }
  });

  test('calls every tool', async () => {
    const tools = (await client.tools()).filter(({ name }) => callsAll || cheap.has(name));
    const order = Object.keys(least);
    const inOrder = tools.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
    let profile_id = 'python_00000000';
    for (const { name, outputSchema: listed } of inOrder) {
      const needed = least[name];
      if (!needed) throw new Error(`add arguments for ${name}`);
      const args = typeof needed === 'function' ? needed(profile_id) : needed;
      const answer = await client.call(name, args);
      expect(bytes(answer.content), name).toBeLessThanOrEqual(token_cap_bytes);
      const text = answer.content[0]?.text ?? '';
      if (answer.isError) {
        expect(answer.structuredContent, name).toBeUndefined();
        expect(JSON.parse(text), name).toMatchObject(wellFormedError(name));
        // A call that follows another needs the server of the other, and a profile needs perf.
        const must = keepsServer && !mayBeAbsent.test(name) && (hasPerf || !name.includes('perf'));
        if (user === 'root' && must) throw new Error(`${name}: ${text}`);
        continue;
      }
      expect(answer.structuredContent, name).toEqual(JSON.parse(text));
      profile_id = JSON.parse(text).data.profile_id ?? profile_id;
      expect(answer.structuredContent, name).toMatchObject({ success: true, tool: name });
      for (const schema of [listed ?? { not: {} }, contracts.get(name) ?? { not: {} }]) {
        const validate = validator.getValidator(schema);
        expect(validate(answer.structuredContent), name).toMatchObject({ valid: true });
      }
      if (name === 'start_perf_profiling' && keepsServer) await delay(1000);
    }
  });

  test('gets every prompt', async () => {
    const gets = (await client.prompts()).map(async ({ name, arguments: offered = [] }) => {
      const required = offered.filter((each) => each.required).map((each) => [each.name, '1']);
      return { name, ...(await client.prompt(name, Object.fromEntries(required))) };
    });
    for (const { name, messages } of await Promise.all(gets)) {
      expect(messages[0]?.content.text, name).toMatch(/\w+ \w+/);
      expect(bytes(messages), name).toBeLessThanOrEqual(token_cap_bytes);
    }
  });
});

/** The whole schema of each answer, of which a listing shows the names alone. */
const contracts = new Map(
  surface
    .tools({ readOnly: false })
    .map(surface.contractOf)
    .map(({ name, outputSchema }) => [name, outputSchema]),
);

/** 10,000 tokens of four bytes. */
const token_cap_bytes = 40_000;

const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

async function settled(reading: Promise<string>): Promise<{ text: string; error?: string }> {
  try {
    return { text: await reading };
  } catch (error) {
    return { text: '', error: error instanceof Error ? error.message : String(error) };
  }
}

const wellFormedError = (tool: string): object => ({
  success: false,
  tool,
  error: {
    code: expect.stringMatching(/^[A-Z_]+$/),
    message: expect.stringMatching(/\w+ \w+/),
    suggestion: expect.stringMatching(/\w+/),
  },
});
