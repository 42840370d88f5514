import * as z from 'zod/v4';
import { type Availability, availability } from '../../collectors/availability.ts';
import { count } from '../../collectors/topology-words.ts';
import type { Context } from '../../context.ts';
import type { Resource } from '../../resources/define-resource.ts';
import { resources } from '../../resources/index.ts';
import { uriTemplate } from '../../resources/read.ts';
import { defineTool } from '../define-tool.ts';

/** Which resources tell about what. What a resource is and takes comes from the resource itself. */
const uris = {
  cpu: ['stats://aggregated/cpu', 'stats://system/cpu', 'topology://info'],
  llc: ['stats://aggregated/llc'],
  node: ['stats://aggregated/node'],
  dsq: ['stats://aggregated/dsq'],
  process: ['stats://aggregated/process'],
  scheduler: ['scheduler://current', 'stats://scheduler/scx', 'stats://scheduler/raw'],
  system: ['stats://system/cpu', 'stats://system/memory', 'stats://system/network'],
} as const;

type StatType = keyof typeof uris;

const statTypes = ['cpu', 'llc', 'node', 'dsq', 'process', 'scheduler', 'system'] as const;

export const queryStats = defineTool({
  name: 'query_stats',
  title: 'What can be asked',
  toolset: 'scheduler',
  effect: 'read',
  description:
    'Lists the resources that tell about a topic (everything without stat_type): URI, parameters, what it tells, whether this host can answer it and if not the command that changes that. Measures nothing itself.',
  input: z.strictObject({
    stat_type: z.enum(statTypes).optional().describe('topic; everything where it is left out'),
  }),
  output: z.looseObject({
    stat_type: z.string().nullable(),
    resources: z
      .array(
        z.looseObject({
          uri: z.string(),
          uri_template: z.string().nullable(),
          description: z.string(),
          available: z.boolean(),
          reason: z.string().nullable(),
          fix: z.string().nullable(),
        }),
      )
      .readonly(),
    usage: z.array(z.string()).readonly(),
  }),
  handle: ({ stat_type }, ctx) => Promise.resolve(answer(ctx, stat_type)),
});

function answer(ctx: Context, stat_type: StatType | undefined) {
  const wanted = stat_type === undefined ? everything() : uris[stat_type];
  const rows = wanted.map((uri) => describe(ctx, uri));
  const available = rows.filter((row) => row.available);
  return {
    data: { stat_type: stat_type ?? null, resources: rows, usage: usage(available) },
    source: 'the resources of this server',
    summary: [
      `${count(rows.length, 'resource')}${stat_type === undefined ? '' : ` on ${stat_type}`}, ${available.length} available on this host.`,
      ...available.slice(0, 4).map(({ uri, title }) => `${uri}: ${title}`),
    ],
    unavailable: rows
      .filter((row) => !row.available)
      .map(({ uri, reason, fix }) => ({ what: uri, reason: reason ?? '', fix })),
  };
}

const everything = (): readonly string[] => [
  ...new Set([...Object.values(uris).flat(), ...resources.map(({ uri }) => uri)]),
];

type Row = Availability &
  Readonly<{
    uri: string;
    uri_template: string | null;
    title: string;
    description: string;
    parameters: string;
  }>;

function describe(ctx: Context, uri: string): Row {
  const resource = resources.find((each) => each.uri === uri);
  return resource ? known(ctx, resource) : absent(uri);
}

function known(ctx: Context, resource: Resource): Row {
  const { uri, title, description, help } = resource;
  const uri_template = uriTemplate(resource);
  return { uri, uri_template, title, description, parameters: help, ...availability(ctx, uri) };
}

const absent = (uri: string): Row => ({
  uri,
  uri_template: null,
  title: uri,
  description: 'Not served.',
  parameters: '',
  available: false,
  reason: 'This version of Tracewright does not serve it.',
  fix: null,
});

function usage(available: readonly Row[]): readonly string[] {
  const [first] = available;
  if (!first) return [];
  const withParameters = available.find((row) => row.parameters.includes('limit'));
  const example = withParameters ? [`read_resource {"uri": "${withParameters.uri}?limit=5"}`] : [];
  const withTrace = available.find((row) => row.parameters.includes('trace_ms'));
  const traced = withTrace
    ? [
        `read_resource {"uri": "${withTrace.uri}?trace_ms=1000"} for wakeup and run queue latency with percentiles, migrations${withTrace.uri.endsWith('process') ? ', wakers' : ', softirqs'} (traced; root)`,
      ]
    : [];
  return [
    `resources/read {"uri": "${first.uri}"}`,
    `read_resource {"uri": "${first.uri}"} where the client cannot read resources`,
    ...example,
    ...traced,
  ];
}
