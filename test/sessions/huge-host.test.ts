import { describe, expect, test } from 'vitest';
import { hostFiles } from '../../src/procfs/host-files.ts';
import { surface } from '../../src/surface.ts';
import { call, scriptedContext } from '../fake-host.ts';
import { crowded_pid, hugeHost } from '../huge-host.ts';

const { root, files } = hugeHost(() => host.monotonicMs());
const host = scriptedContext(root);
const ctx = {
  ...host,
  files: files(hostFiles(root)),
  uid: 0,
  find: () => ({ problem: 'missing' as const, path: null }),
};
const everything = { readOnly: false };
const contracts = new Map(
  surface.tools(everything).map((tool) => [tool.name, surface.contractOf(tool)] as const),
);

const read = (uri: string): Promise<object> => surface.readResource(uri, ctx, call);
async function use(name: string, args: object): Promise<object> {
  const [tool] = surface.tools({ ...everything, tools: [name] });
  if (!tool) throw new Error(`no tool ${name}`);
  return await surface.callTool(tool, args, ctx, call);
}

const uris = surface.resources
  .filter(({ uri, daemonOnly }) => !uri.includes('{') && !daemonOnly)
  .map(({ uri }) => uri)
  .concat(`stats://aggregated/process?pid=${crowded_pid}`);
const calls: readonly [string, object][] = [
  ['query_stats', {}],
  ['get_topology', { detail_level: 'full' }],
  ['perf_info', {}],
  ['perf_snapshot', { include_per_cpu: true }],
  ['perf_use_check', {}],
  ['perf_io_latency', { duration_seconds: 1 }],
  ['perf_net_health', {}],
  ['perf_cgroup_summary', {}],
  ['perf_fd_trace', { pid: crowded_pid, duration_seconds: 1 }],
  ['perf_thread_profile', { pid: crowded_pid, duration_seconds: 1 }],
  ['perf_triage', { mode: 'quick' }],
];

type Cut = Readonly<{ truncated?: boolean; next?: string; total?: number }>;
const tokens = (answer: object): number => JSON.stringify(answer).length / 4;

// 100,000 processes are read several times: seconds, and more of them on a busy machine.
describe('on 512 CPUs with 100,000 processes', { timeout: 240_000 }, () => {
  test.each(uris)('%s fits into 10,000 tokens and says how to get the rest', async (uri) => {
    const answer = await read(uri);
    expect(tokens(answer)).toBeLessThan(10_000);
    await followNext(answer);
  });

  test.each(calls)(
    '%s fits into 10,000 tokens and says how to get the rest',
    async (name, args) => {
      const answer = await use(name, args);
      expect(tokens(answer)).toBeLessThan(10_000);
      await followNext(answer);
    },
  );

  test('what has more rows than fit is cut', async () => {
    for (const uri of ['stats://aggregated/cpu', 'stats://system/network'])
      expect(await read(uri), uri).toMatchObject({ truncated: true, total: expect.any(Number) });
  });
});

/** What `next` says is done: a URI is read, a call is made, an argument exists. */
async function followNext(answer: object & Cut): Promise<void> {
  if (!answer.truncated) return;
  const next = answer.next ?? '';
  const [uri] = /[a-z]+:\/\/\S+\?\S+/.exec(next) ?? [];
  if (uri !== undefined) {
    const following = await read(uri);
    expect(tokens(following)).toBeLessThan(10_000);
    expect(rowsOf(following), next).not.toEqual(rowsOf(answer));
    return;
  }
  const [, name = '', args = ''] =
    /([a-z]+_[a-z_]+) (?:with (?:a larger )?)?(.+)$/.exec(next) ?? [];
  if (args.startsWith('{')) {
    const following = await use(name, JSON.parse(args));
    expect(rowsOf(following), next).not.toEqual(rowsOf(answer));
    return;
  }
  const [argument = ''] = /^[a-z_]+/.exec(args) ?? [];
  expect(contracts.get(name)?.inputSchema['properties'], next).toHaveProperty(argument);
}

/** The lists of an answer, one of which is cut. */
function rowsOf(answer: object): unknown {
  const { data = answer } = Object(answer);
  return Object.values(data).filter((each) => Array.isArray(each) && typeof each[0] === 'object');
}
