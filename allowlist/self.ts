import { approve, type Command, integer, ownPath } from './command.ts';

/**
 * This program itself in another process: `node <bundle> internal-bpf-stats <ms>` counts the run
 * time of BPF programs for that long and puts the setting back. SIGTERM makes it do so early, and
 * our death sends it SIGTERM.
 */
export function bpfStatsHelper(node: string, bundle: string, duration_ms: number): Command {
  return approve({
    program: {
      name: 'node',
      candidates: [ownPath(node)],
      packages: { apt: 'nodejs', dnf: 'nodejs' },
    },
    args: [ownPath(bundle), 'internal-bpf-stats', integer('duration', duration_ms, 100, 60_000)],
    stopSignal: 'SIGTERM',
    parentDeathSignal: 'TERM',
    limits: { duration_ms: duration_ms + 10_000, output_bytes: 4096 },
    request: { maker: 'bpfStatsWindow', parameters: { duration_ms } },
    subject: { window_ms: duration_ms },
  });
}
