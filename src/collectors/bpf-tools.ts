import { bccTool, knownTracers, libbpfTool } from '../../allowlist/programs.ts';
import type { Context } from '../context.ts';

/** Which tracers of BCC and libbpf-tools are installed. Starts nothing. */
export function installedTracers(ctx: Context) {
  const there = (program: Parameters<Context['find']>[0]): boolean =>
    !('problem' in ctx.find(program));
  const bcc = knownTracers.filter((name) => there(bccTool(name)));
  const libbpf = knownTracers.filter((name) => there(libbpfTool(name)));
  const available = knownTracers.filter((name) => bcc.includes(name) || libbpf.includes(name));
  return {
    bcc_installed: bcc.length > 0,
    libbpf_tools_installed: libbpf.length > 0,
    bcc_tools_available: available.length,
    bcc_tools_total: knownTracers.length,
    available_tools: available,
    unavailable_tools: knownTracers.filter((name) => !available.includes(name)),
  };
}
