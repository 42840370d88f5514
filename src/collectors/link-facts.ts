import { untrusted } from '../../parsers/untrusted.ts';
import type { HostFiles } from '../procfs/host-files.ts';

/** What a link says of itself; virtual ones say nothing of speed. */
export type LinkFacts = Readonly<{
  speed_mbps: number | null;
  duplex: 'full' | 'half' | null;
  /** up, down, unknown (loopback, tunnels), … */
  operstate: string | null;
  /** How often the carrier came or went since the interface was made. */
  carrier_changes: number | null;
}>;

export function readLinkFacts(files: HostFiles, name: string): LinkFacts {
  // A name can hold neither slash nor blank, and "." or ".." is refused by the kernel too.
  if (/[/\s]|^\.{1,2}$/.test(name)) return unknownLink;
  const folder = `/sys/class/net/${name}`;
  const speed = files.number(`${folder}/speed`);
  const duplex = files.text(`${folder}/duplex`)?.trim();
  const operstate = files.text(`${folder}/operstate`)?.trim();
  return {
    // -1, or 2^32 - 1 on older kernels, where the driver knows none.
    speed_mbps: speed !== null && speed > 0 && speed < 2 ** 31 ? speed : null,
    duplex: duplex === 'full' || duplex === 'half' ? duplex : null,
    operstate: operstate === undefined ? null : untrusted(operstate, 20),
    carrier_changes: files.number(`${folder}/carrier_changes`),
  };
}

const unknownLink: LinkFacts = {
  speed_mbps: null,
  duplex: null,
  operstate: null,
  carrier_changes: null,
};
