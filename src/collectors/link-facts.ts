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
  const folder = linkFolder(name);
  if (folder === null) return unknownLink;
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

/** A name can hold neither slash nor blank, and "." or ".." is refused by the kernel too. */
const linkFolder = (name: string): string | null =>
  /[/\s]|^\.{1,2}$/.test(name) ? null : `/sys/class/net/${name}`;

/**
 * Picks the interfaces that together carry what comes and goes, each byte once: those of a device;
 * where there is none, as in a container, all but loopback and those built on others (bond, bridge,
 * VLAN). Remembers what it has looked up.
 */
export function outerLinks(files: HostFiles) {
  const known = new Map<string, 'device' | 'other' | 'upper'>();
  const kindOf = (name: string): 'device' | 'other' | 'upper' => {
    const kind = known.get(name) ?? linkKind(files, name);
    known.set(name, kind);
    return kind;
  };
  return <T extends Readonly<{ name: string }>>(links: readonly T[]): readonly T[] => {
    const outer = links.filter(({ name }) => name !== 'lo');
    const devices = outer.filter(({ name }) => kindOf(name) === 'device');
    return devices.length > 0 ? devices : outer.filter(({ name }) => kindOf(name) !== 'upper');
  };
}

function linkKind(files: HostFiles, name: string): 'device' | 'other' | 'upper' {
  const folder = linkFolder(name);
  if (folder === null) return 'other';
  if (files.exists(`${folder}/device`)) return 'device';
  const isUpper = files.list(folder)?.some((entry) => entry.startsWith('lower_'));
  return isUpper ? 'upper' : 'other';
}
