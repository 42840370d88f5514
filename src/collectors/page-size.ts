import type { Context } from '../context.ts';

/** AT_PAGESZ (include/uapi/linux/auxvec.h). */
const at_pagesz = 6n;
const pair_bytes = 16;

/**
 * Bytes of a page, which /proc counts memory in: always 4096 on x86, 4, 16 or 64 KiB on arm64 as the
 * kernel was built. From what the kernel told this process when it began; null where that is closed.
 */
export function pageBytes({ arch, files }: Context): number | null {
  if (arch === 'x64' || arch === 'ia32') return 4096;
  const vector = files.bytes('/proc/self/auxv', 4096);
  if (vector === null) return null;
  const view = new DataView(vector.buffer, vector.byteOffset, vector.byteLength);
  for (let at = 0; at + pair_bytes <= view.byteLength; at += pair_bytes) {
    if (view.getBigUint64(at, isLittle) === at_pagesz) {
      return Number(view.getBigUint64(at + 8, isLittle));
    }
  }
  return null;
}

const isLittle = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
