import { userInfo } from 'node:os';
import type { Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import { helperWords } from '../exec/sudo-helper.ts';
import { type HelperProgram, helperProgram } from '../helper/install.ts';
import { helper_socket } from '../helper/privileged-runs.ts';
import { replaceable } from '../helper/replaceable.ts';
import { serviceUnit, socketUnit } from '../helper/units.ts';

/** `tracewright setup sudo|systemd`: prints what an administrator puts where; changes nothing. */
export function setup([kind = '']: readonly string[], ctx: Context): string {
  if (kind !== 'sudo' && kind !== 'systemd') {
    throw new TracewrightError(
      'INVALID_PARAMS',
      `There is no setup "${kind.slice(0, 40)}".`,
      'Choose: tracewright setup sudo, or tracewright setup systemd.',
    );
  }
  const program = helperProgram();
  if ('weak' in program) throw replaceable(program.weak);
  return (kind === 'sudo' ? sudo(program, ctx) : systemd(program)).join('\n');
}

/** Names that mean the same in a rule of sudo and everywhere else. */
const plain_name = /^[a-z_][a-z0-9_-]{0,31}$/;

function sudo({ node, bundle }: HelperProgram, { uid }: Context): readonly string[] {
  const caller = uid === 0 ? (process.env['SUDO_USER'] ?? '') : userInfo().username;
  const user = plain_name.test(caller) ? caller : 'USER';
  const command = helperWords(node, bundle).map(escaped).join(' ');
  const rule = `${user} ALL=(root) NOSETENV: NOPASSWD: ${command}`;
  return [
    '# 1. One rule. It names these very words: no other argument passes, no variable of the caller.',
    `echo '${rule}' | sudo tee /etc/sudoers.d/tracewright`,
    'sudo chmod 440 /etc/sudoers.d/tracewright && sudo visudo -cf /etc/sudoers.d/tracewright',
    '',
    '# 2. The server then runs without root, and starts the helper when a tracer is first needed:',
    `${node} ${bundle} mcp --daemon --helper sudo`,
    '',
    '# The helper starts perf, bpftrace and bpftool, so NOEXEC cannot be set. What it starts is decided',
    '# by its own copy of the allowlist: it takes names and numbers, no command line, path or program text.',
    `# ${bundle}, its package and ${node} may be changed by root alone; the helper checks that at each start.`,
    `# It relies on env_reset, which sudo has on by default. To undo: sudo rm /etc/sudoers.d/tracewright`,
  ];
}

/** Characters with a meaning in a rule. */
const escaped = (word: string): string => word.replace(/[\\,:= ]/g, (each) => `\\${each}`);

function systemd(program: HelperProgram): readonly string[] {
  return [
    '# 1. Who may use the helper is a member of this group.',
    'sudo groupadd --system --force tracewright',
    'sudo usermod --append --groups tracewright "$USER"    # counts from the next login on',
    '',
    '# 2. Two units.',
    ...written('/etc/systemd/system/tracewright-helper.socket', socketUnit),
    ...written('/etc/systemd/system/tracewright-helper@.service', serviceUnit(program)),
    'sudo systemctl daemon-reload && sudo systemctl enable --now tracewright-helper.socket',
    '',
    `# The server finds ${helper_socket} by itself: it needs no option, and no root.`,
    '# To undo: sudo systemctl disable --now tracewright-helper.socket, and remove the two files.',
  ];
}

const written = (path: string, text: string): readonly string[] => [
  `sudo tee ${path} >/dev/null <<'END'`,
  text.trimEnd(),
  'END',
];
