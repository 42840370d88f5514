import * as z from 'zod/v4';
import { collectHostInfo } from '../../collectors/host-info.ts';
import { defineTool } from '../define-tool.ts';
import { figure } from './schema-parts.ts';

const words = z.array(z.string()).readonly();
const text = z.string().nullable();
const flag = z.boolean().nullable();

export const perfInfo = defineTool({
  name: 'perf_info',
  title: 'What this host is',
  toolset: 'host',
  effect: 'read',
  description:
    'Kernel, CPUs, memory, virtualization, cgroups and limits of this host, and what can be measured here: perf and BPF rights, BTF, PSI, tracers, each gap with what changes it. First on an unknown host.',
  input: z.strictObject({}),
  output: z.looseObject({
    system: z.looseObject({
      hostname: z.string(),
      kernel: text,
      arch: z.string(),
      uptime_seconds: figure,
      boot_time: text,
    }),
    cpu: z.looseObject({
      model: text,
      cores: z.int(),
      threads: z.int(),
      numa_nodes: z.int(),
      scaling_governor: text,
    }),
    virtualization: z.looseObject({
      type: z.string(),
      container: z.boolean(),
      cgroup_version: figure,
    }),
    capabilities: z.looseObject({
      perf_available: z.boolean(),
      perf_permitted: z.boolean(),
      bpf_available: z.boolean(),
      bpf_permitted: z.boolean(),
      btf_available: flag,
      psi_enabled: flag,
    }),
    ebpf: z.looseObject({
      bcc_installed: z.boolean(),
      bcc_tools_available: z.int(),
      bcc_tools_total: z.int(),
      available_tools: words,
      unavailable_tools: words,
    }),
    memory: z.looseObject({ total_bytes: figure, huge_pages_enabled: flag, thp_enabled: flag }),
  }),
  handle: (_input, ctx) => collectHostInfo(ctx),
});
