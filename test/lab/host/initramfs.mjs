import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Mounts the disk with serial `root`, unpacks the one with serial `payload` to /lab, starts it. */
const init = `#!/bin/busybox sh
PATH=/bin
/bin/busybox mkdir -p /proc /dev /sys /mnt
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t sysfs sys /sys
unxz /modules/*.xz 2>/dev/null
for module in /modules/*.ko; do insmod $module; done
disk() { grep -lx $1 /sys/block/vd*/serial 2>/dev/null | cut -d/ -f4; }
tries=0
until [ "$(disk payload)" ] || [ $tries = 100 ]; do sleep 0.1; tries=$((tries + 1)); done
mount -t ext4 /dev/$(disk root) /mnt || { echo 'lab: the root disk does not mount'; poweroff -f; }
mkdir /mnt/lab
tar -x -f /dev/$(disk payload) -C /mnt/lab
umount /sys
exec switch_root /mnt /bin/bash /lab/start.sh
`;

/** The first file system of the guest: a static busybox, the modules and the script above. */
export function initramfs(busybox, modules) {
  const entries = [
    entry('bin', 0o040755),
    entry('modules', 0o040755),
    entry('init', 0o100755, Buffer.from(init)),
    entry('bin/busybox', 0o100755, readFileSync(busybox)),
    ...readdirSync(modules).map((name) =>
      entry(`modules/${name}`, 0o100644, readFileSync(join(modules, name))),
    ),
    entry('TRAILER!!!', 0),
  ];
  return gzipSync(Buffer.concat(entries), { level: 1 });
}

/** A file in the "newc" format of cpio, the one that the kernel reads: 13 fields of 8 hex digits. */
function entry(name, mode, data = Buffer.alloc(0)) {
  const fields = [0, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length + 1, 0];
  const head = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`;
  return Buffer.concat([padded(Buffer.from(head)), padded(data)]);
}

const padded = (bytes) => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
