import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openApt } from './apt.mjs';
import { cached } from './cache.mjs';
import { runProgram } from './run-program.mjs';

/** Raise it when the way the image is made changes. */
const recipe = 3;

const packages = [
  '?essential',
  ...['mount', 'kmod', 'procps', 'iproute2', 'busybox-static', 'strace'],
  ...['bpftrace', 'bpftool', 'linux-perf', 'sysstat', 'nodejs', 'python3'],
  ...['clang', 'libbpf-dev', 'stress-ng', 'numactl'],
  // For the server as an ordinary user, with a helper: --route.
  ...['sudo', 'passwd', 'systemd'],
];

/** What pam-auth-update would have set up: sudo is told of no password, and asks for none. */
const pam = ['auth', 'account', 'password', 'session', 'session-noninteractive'];

/**
 * The guest's root file system, Debian 13: {image, busybox}, made once and opened with snapshot=on.
 * The packages are only unpacked, which needs neither root nor a chroot; the little that their
 * scripts would have set up and the guest needs is done here.
 */
export function rootImage(folder, say) {
  const key = createHash('sha256')
    .update(JSON.stringify([recipe, packages]))
    .digest('hex');
  const path = cached(folder, 'root', key.slice(0, 12), (draft) => {
    const work = mkdtempSync(join(folder, 'draft-root-'));
    try {
      say('fetching the packages of the guest');
      const files = openApt(work).fetchWithDependencies(packages);
      say(`unpacking ${files.length} packages`);
      const tree = join(work, 'tree');
      unpack(files, tree);
      mkdirSync(draft);
      cpSync(join(tree, 'usr/bin/busybox'), join(draft, 'busybox'));
      pack(tree, join(draft, 'image.ext4'));
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  });
  return { image: join(path, 'image.ext4'), busybox: join(path, 'busybox') };
}

function unpack(files, tree) {
  mkdirSync(tree);
  // base-files brings /bin -> usr/bin and the like, which the others unpack into.
  const base = files.filter((file) => /\/base-files_/.test(file));
  for (const file of [...base, ...files]) runProgram('dpkg-deb', ['-x', file, tree]);
  for (const name of ['passwd', 'group']) {
    cpSync(join(tree, `usr/share/base-passwd/${name}.master`), join(tree, 'etc', name));
  }
  symlinkSync('mawk', join(tree, 'usr/bin/awk'));
  for (const name of pam) {
    const kind = name.replace(/-.*/, '');
    writeFileSync(join(tree, `etc/pam.d/common-${name}`), `${kind} required pam_permit.so\n`);
  }
  // Files belong to who unpacked them: set-user-id programs would run as a normal user in the guest.
  runProgram('find', [tree, '-perm', '/6000', '-exec', 'chmod', 'ug-s', '{}', '+']);
  for (const name of ['usr/share/doc', 'usr/share/man', 'usr/share/locale']) {
    rmSync(join(tree, name), { recursive: true, force: true });
  }
}

function pack(tree, image) {
  runProgram('truncate', ['-s', '3G', image]);
  runProgram('mke2fs', ['-q', '-t', 'ext4', '-m', '0', '-d', tree, image]);
}
