/** Lines that name the processor: x86 and LoongArch, s390, POWER, RISC-V, 32-bit Arm. */
const named = ['model name', 'Model Name', 'processor 0', 'cpu', 'uarch', 'cpu model', 'Processor'];

/**
 * What the processor calls itself in `/proc/cpuinfo` (arch/<arch>/kernel/, one file each), from the
 * first CPU. Null where nothing names it.
 *
 *     model name	: Intel(R) Xeon(R) Processor @ 2.60GHz
 *     CPU implementer	: 0x41
 *
 * 64-bit Arm has numbers only, which are given as they are.
 */
export function parseCpuModel(text: string): string | null {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).trim();
    const value = line.slice(colon + 1).trim();
    if (name !== '' && value !== '' && !fields.has(name)) fields.set(name, value);
  }
  const found = named
    .map((name) => fields.get(name))
    .find((value) => value && !/^\d+$/.test(value));
  if (found !== undefined) return found;
  const implementer = fields.get('CPU implementer');
  const part = fields.get('CPU part');
  return implementer && part ? `Arm implementer ${implementer}, part ${part}` : null;
}
