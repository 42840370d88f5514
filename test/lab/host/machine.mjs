import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programPath } from './cannot-run.mjs';
import { initramfs } from './initramfs.mjs';
import { topologyArguments } from './topology.mjs';

const memory_mib = 3072;

/**
 * Boots the machine and waits until it powers itself off. Files in `work`: payload.tar (given),
 * console.txt, report.jsonl (what the guest writes to its second serial line) and results.tar.
 *
 * @returns {Promise<{timedOut: boolean}>}
 */
export async function runMachine({ work, root, kernel, topology, seconds, shell, onReport }) {
  writeFileSync(join(work, 'initramfs.gz'), initramfs(root.busybox, kernel.modules));
  const args = qemuArguments({ work, root, kernel, topology, shell });
  const qemu = spawn('nice', ['qemu-system-x86_64', ...args], {
    stdio: shell ? 'inherit' : ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, PATH: programPath },
  });
  const stop = () => qemu.kill('SIGKILL');
  process.once('exit', stop);
  let timedOut = false;
  const deadline = setTimeout(() => {
    timedOut = true;
    stop();
  }, seconds * 1000);
  const reports = followLines(join(work, 'report.jsonl'), onReport);
  try {
    await new Promise((resolve, reject) => {
      qemu.once('error', reject);
      qemu.once('exit', resolve);
    });
  } finally {
    clearTimeout(deadline);
    process.off('exit', stop);
    reports.end();
  }
  return { timedOut };
}

function qemuArguments({ work, root, kernel, topology, shell }) {
  const disk = (serial, file, more) => [
    '-drive',
    `id=${serial},if=none,format=raw,file=${file},${more}`,
    '-device',
    `virtio-blk-pci,drive=${serial},serial=${serial}`,
  ];
  return [
    // Threads per CPU crash the guest (Oops: int3) when a probe is attached to a hot function.
    ...['-accel', 'tcg,thread=single', '-cpu', 'max', '-m', String(memory_mib)],
    ...topologyArguments(topology, memory_mib),
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-kernel', kernel.vmlinuz, '-initrd', join(work, 'initramfs.gz')],
    ...['-append', 'console=ttyS0 quiet panic=-1'],
    ...['-serial', shell ? 'mon:stdio' : `file:${join(work, 'console.txt')}`],
    ...['-serial', `file:${join(work, 'report.jsonl')}`],
    ...disk('root', root.image, 'snapshot=on'),
    ...disk('payload', join(work, 'payload.tar'), 'readonly=on'),
    ...disk('results', join(work, 'results.tar'), 'cache=unsafe'),
  ];
}

/** Calls `take` with each line that is added to a file, soon after. `end` takes what is left. */
function followLines(path, take) {
  let file;
  let rest = '';
  const chunk = Buffer.alloc(1 << 16);
  const read = () => {
    if (file === undefined && !existsSync(path)) return;
    file ??= openSync(path);
    for (let size = readSync(file, chunk); size > 0; size = readSync(file, chunk)) {
      rest += chunk.toString('latin1', 0, size);
    }
    const lines = rest.split('\n');
    rest = lines.pop();
    for (const line of lines) take(Buffer.from(line, 'latin1').toString().trim());
  };
  const timer = setInterval(read, 200);
  return {
    end() {
      clearInterval(timer);
      read();
      if (file !== undefined) closeSync(file);
    },
  };
}
