import * as z from 'zod/v4';
import { collectSystemMemory } from '../collectors/system-memory.ts';
import { defineResource } from './define-resource.ts';
import { windowQuery } from './window-query.ts';

export const systemMemory = defineResource({
  uri: 'stats://system/memory',
  name: 'system_memory',
  title: 'System memory',
  description:
    'Memory and swap now (*_kb in KiB, *_bytes in bytes, slab, dirty, huge pages, commitments), ' +
    'page faults, swapping and disk traffic per second over one window, memory pressure (PSI).',
  query: z.strictObject(windowQuery),
  read: (query, ctx, call) => collectSystemMemory(ctx, query, call),
});
