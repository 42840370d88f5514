import * as z from 'zod/v4';
import { collectSystemNetwork } from '../collectors/system-network.ts';
import { defineResource, pageQuery } from './define-resource.ts';
import { windowQuery } from './window-query.ts';

export const systemNetwork = defineResource({
  uri: 'stats://system/network',
  name: 'system_network',
  title: 'System network',
  description:
    'Interfaces of the network namespace that this server runs in, most traffic first: bytes, ' +
    'packets, errors and drops since each was made and rates over one window; TCP and UDP health.',
  query: z.strictObject({ ...pageQuery(50, 512), ...windowQuery }),
  read: (query, ctx, call) => collectSystemNetwork(ctx, query, call),
});
