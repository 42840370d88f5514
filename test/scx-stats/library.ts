import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How to build the server that answers through the real library. */
export const build_command =
  'cargo build --release --manifest-path test/scx-stats/server/Cargo.toml --target-dir /tmp/tracewright-scx-stats-server';

const binary = join(tmpdir(), 'tracewright-scx-stats-server/release/scx-stats-server');

export const libraryIsBuilt = existsSync(binary);

/** Statistics on `path` from the crate scx_stats itself, until `stop`. */
export async function libraryServer(path: string): Promise<Readonly<{ stop(): Promise<void> }>> {
  const child = spawn(binary, [path], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { RUST_BACKTRACE: '0' },
  });
  await once(child.stdout, 'data');
  return {
    async stop() {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}
