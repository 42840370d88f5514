/**
 * The upper half of the address space, which is the kernel's: x86, arm64 and riscv ffff…, ppc64 c000…,
 * loongarch 9000…. Always sixteen digits, with or without 0x.
 */
const address = /\b(?:0x)?(?:ffff|c000|9000)[0-9a-f]{12}\b/g;

/** Text without addresses of the kernel: they tell where it lies in memory, which attacks need. */
export const hideKernelAddresses = (text: string, instead: string): string =>
  text.replace(address, instead);
