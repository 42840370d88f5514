import * as z from 'zod/v4';
import { readResource } from '../../resources/read.ts';
import { defineTool } from '../define-tool.ts';

export const readResourceTool = defineTool({
  name: 'read_resource',
  title: 'Read a resource',
  toolset: 'scheduler',
  effect: 'read',
  description:
    'Reads any resource of this server by its URI, for clients that cannot read resources themselves. query_stats lists the URIs with their parameters; e.g. stats://aggregated/process?sort=wait&limit=10.',
  input: z.strictObject({
    uri: z.string().max(500).describe('resource URI, parameters after "?" included'),
  }),
  output: z.looseObject({}),
  async handle({ uri }, ctx, call) {
    const document = await readResource(uri, ctx, call);
    const { summary, ...data } = { summary: [], ...document };
    return { data, source: uri, summary };
  },
});
