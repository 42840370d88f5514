import { approve, type Command, type Program } from './command.ts';

const dmesg: Program = {
  name: 'dmesg',
  candidates: ['/usr/bin/dmesg', '/bin/dmesg'],
  packages: { apt: 'util-linux', dnf: 'util-linux' },
};

/** The kernel's own messages since boot, with seconds since boot in front; nothing follows on. */
export function kernelMessages(): Command {
  return approve({
    program: dmesg,
    args: ['--kernel', '--color=never'],
    limits: { duration_ms: 3000, output_bytes: 16 * 1024 * 1024 },
    request: { maker: 'kernelMessages', parameters: {} },
  });
}
