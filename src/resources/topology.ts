import * as z from 'zod/v4';
import { collectTopologyInfo } from '../collectors/topology-report.ts';
import { defineResource, pageQuery } from './define-resource.ts';

export const topologyInfo = defineResource({
  uri: 'topology://info',
  name: 'topology',
  title: 'CPU topology',
  description:
    "Hardware topology of this host, read afresh from sysfs: online CPUs with their core, last-level cache (LLC) and NUMA node, the LLCs and nodes with sizes, CPU lists and distances, packages, SMT, offline CPUs. limit and offset page every list. core_id and llc_id count from 0 over the whole host; CPU, node and package ids are the kernel's.",
  query: z.strictObject(pageQuery(128, 512)),
  read: (query, ctx) => Promise.resolve(collectTopologyInfo(ctx, query)),
});
