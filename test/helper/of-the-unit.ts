import { serviceUnit } from '../../src/helper/units.ts';

/** Options of setpriv that leave a helper the capabilities of the unit. */
export function ofTheUnit(bundle: string): readonly string[] {
  const unit = serviceUnit({ node: process.execPath, bundle });
  const capabilities = /^CapabilityBoundingSet=(.*)$/m.exec(unit)?.[1]?.split(' ') ?? [];
  const kept = capabilities.map((each) => `+${each.slice('CAP_'.length).toLowerCase()}`);
  return [`--bounding-set=-all,${kept.join(',')}`, '--no-new-privs', '--'];
}
