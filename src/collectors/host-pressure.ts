import { type Pressure, parsePressure } from '../../parsers/pressure/pressure.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import type { Unavailable } from '../reading.ts';

const resources = ['cpu', 'memory', 'io'] as const;

/** Pressure stall information of the whole host. */
export type HostPressure = Readonly<Record<(typeof resources)[number], Pressure | null>>;

/** One kind of pressure, or why there is none. */
export function readPressure(
  files: HostFiles,
  resource: (typeof resources)[number],
): Pressure | null {
  const text = files.text(`/proc/pressure/${resource}`);
  if (text === null) return null;
  const { data } = parsePressure(text);
  // Of the whole host the kernel writes zero there, because some task always runs.
  return resource === 'cpu' ? { ...data, full: null } : data;
}

export function readHostPressure(files: HostFiles): HostPressure | null {
  const pressure = {
    cpu: readPressure(files, 'cpu'),
    memory: readPressure(files, 'memory'),
    io: readPressure(files, 'io'),
  };
  return Object.values(pressure).every((each) => each === null) ? null : pressure;
}

export const noPressure: Unavailable = {
  what: 'pressure',
  reason: 'No /proc/pressure: CONFIG_PSI is not built in, or it is off by default.',
  fix: 'Boot with psi=1 on the kernel command line.',
};
