/** A BTF file with one function and its parameters (include/uapi/linux/btf.h). */
export function btfOf(name: string, parameters: readonly string[]): Uint8Array {
  const strings = Buffer.from(`\0${[name, ...parameters].join('\0')}\0`);
  const offset = (text: string): number => strings.indexOf(`\0${text}\0`) + 1;
  const words = [0, (13 << 24) | parameters.length, 0];
  for (const parameter of parameters) words.push(offset(parameter), 0);
  words.push(offset(name), 12 << 24, 1);
  const types = Buffer.from(Uint32Array.from(words).buffer);
  const header = Buffer.alloc(24);
  header.writeUInt16LE(0xeb9f, 0);
  header.writeUInt8(1, 2);
  header.writeUInt32LE(24, 4);
  header.writeUInt32LE(0, 8);
  header.writeUInt32LE(types.length, 12);
  header.writeUInt32LE(types.length, 16);
  header.writeUInt32LE(strings.length, 20);
  return Buffer.concat([header, types, strings]);
}
