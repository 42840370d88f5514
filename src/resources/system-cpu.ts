import * as z from 'zod/v4';
import { collectSystemCpu } from '../collectors/system-cpu.ts';
import { defineResource } from './define-resource.ts';
import { windowQuery } from './window-query.ts';

export const systemCpu = defineResource({
  uri: 'stats://system/cpu',
  name: 'system_cpu',
  title: 'System CPU use',
  description:
    'All CPUs together over one window: utilisation and its parts, context switches, forks and ' +
    'interrupts per second, their top sources, with load average and pressure (PSI) at its end.',
  query: z.strictObject(windowQuery),
  read: (query, ctx, call) => collectSystemCpu(ctx, query, call),
});
