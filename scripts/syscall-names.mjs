#!/usr/bin/env node
// Writes parsers/syscalls/syscall-names.ts from the headers of a kernel (Debian: linux-libc-dev).
// Needs a C preprocessor.
//
//   node scripts/syscall-names.mjs /usr/include > parsers/syscalls/syscall-names.ts
import { execFileSync } from 'node:child_process';

const include = process.argv[2] ?? '/usr/include';

// What arch/arm64/include/uapi/asm/unistd.h chooses from the generic table.
const arm64 = [
  '#define __BITS_PER_LONG 64',
  ...[
    'RENAMEAT',
    'NEW_STAT',
    'SET_GET_RLIMIT',
    'TIME32_SYSCALLS',
    'SYS_CLONE3',
    'MEMFD_SECRET',
  ].map((name) => `#define __ARCH_WANT_${name}`),
  '#include <asm-generic/unistd.h>',
];
const x64 = ['#include <x86_64-linux-gnu/asm/unistd_64.h>'];

// From 424 on every architecture counts alike. These are younger than the headers of Debian 13:
// include/uapi/asm-generic/unistd.h of 6.13 to 6.19.
const younger = {
  463: 'setxattrat',
  464: 'getxattrat',
  465: 'listxattrat',
  466: 'removexattrat',
  467: 'open_tree_attr',
  468: 'file_getattr',
  469: 'file_setattr',
  470: 'listns',
};

function definesOf(lines) {
  const input = `${lines.join('\n')}\n`;
  const folders = ['', '/x86_64-linux-gnu'].flatMap((folder) => ['-I', `${include}${folder}`]);
  const text = execFileSync('cpp', ['-dM', '-nostdinc', ...folders, '-'], { input }).toString();
  return new Map(
    [...text.matchAll(/^#define (\w+) (\w+)$/gm)].map(([, name, value]) => [name, value]),
  );
}

function tableOf(lines) {
  const defined = definesOf(lines);
  const names = Object.assign([], younger);
  for (const [name, value] of defined) {
    if (!name.startsWith('__NR_') || name === '__NR_syscalls') continue;
    const number = Number(/^\d+$/.test(value) ? value : defined.get(value));
    // asm-generic has a range for each architecture, and names for 32 bits that end in 64.
    if (Number.isInteger(number) && name !== '__NR_arch_specific_syscall')
      names[number] = name.slice(5);
  }
  return Array.from(names, (name) => name ?? '-');
}

function errors() {
  const names = [];
  for (const [name, value] of definesOf(['#include <asm-generic/errno.h>'])) {
    if (/^E[A-Z0-9]+$/.test(name) && /^\d+$/.test(value)) names[Number(value)] = name;
  }
  return Array.from(names, (name) => name ?? '-');
}

function wrapped(names) {
  const lines = [''];
  for (const name of names) {
    if (lines.at(-1).length + name.length > 92) lines.push('');
    lines.push(`${lines.pop()} ${name}`);
  }
  return lines.map((line) => `    '${line.trim()}',`).join('\n');
}

console.log(`// Written by scripts/syscall-names.mjs from the headers of a kernel. Do not edit.

const table = (lines: readonly string[]): readonly string[] => lines.join(' ').split(' ');

/** Names of system calls by number, as raw_syscalls counts them; "-" where a number is unused. */
export const syscallNames: Readonly<Record<'x64' | 'arm64', readonly string[]>> = {
  x64: table([
${wrapped(tableOf(x64))}
  ]),
  arm64: table([
${wrapped(tableOf(arm64))}
  ]),
};

/** Names of errors by number, alike on both. */
export const errorNames: readonly string[] = table([
${wrapped(errors())}
]);`);
