import { helperWords } from '../exec/sudo-helper.ts';
import type { HelperProgram } from './install.ts';
import { helper_socket } from './privileged-runs.ts';

/**
 * One user takes at most half of the connections (from systemd 256 on; before it counts no users of
 * such a socket). Without TriggerLimitIntervalSec=0 whoever connects 200 times in two seconds closes it
 * for all until root starts it again; connections above the limit are refused one by one instead.
 */
export const socketUnit = `[Unit]
Description=Tracewright helper, for members of the group tracewright

[Socket]
ListenStream=${helper_socket}
SocketMode=0660
SocketGroup=tracewright
DirectoryMode=0755
RemoveOnStop=yes
Accept=yes
MaxConnections=16
MaxConnectionsPerSource=8
TriggerLimitIntervalSec=0

[Install]
WantedBy=sockets.target
`;

/**
 * The service of one connection. What is not taken away, and what for:
 * SYS_ADMIN, BPF, PERFMON: loading and listing programs, perf events of all CPUs, tracefs and mounts
 * of its own, which SYS_CHROOT lets it enter. SYS_PTRACE, DAC_READ_SEARCH: symbols of programs of
 * other users, also in /home. SYSLOG: addresses and messages of the kernel (/dev/kmsg). IPC_LOCK:
 * the buffers of event streams, where LimitMEMLOCK cannot be had, as in a container. Of /sys and
 * /proc/sys it may write tracefs and one setting; ProtectKernelTunables would hide /proc/kallsyms,
 * ProtectKernelLogs the messages, ProtectKernelModules the headers that BCC compiles against. Node.js
 * and LLVM make code at run time, so MemoryDenyWriteExecute cannot be set. The instance (%i) of a
 * socket's connection ends in the id of the user who made it, which the audit tells.
 */
export const serviceUnit = (program: HelperProgram): string => `[Unit]
Description=Tracewright helper for one connection
CollectMode=inactive-or-failed

[Service]
ExecStart=${helperWords(program.node, program.bundle).map(quoted).join(' ')}
StandardInput=socket
StandardOutput=socket
StandardError=journal
Environment=TRACEWRIGHT_CONNECTION=%i
LogsDirectory=tracewright
RuntimeDirectory=tracewright-helper
RuntimeDirectoryPreserve=yes
User=root
UMask=0077
CapabilityBoundingSet=CAP_SYS_ADMIN CAP_BPF CAP_PERFMON CAP_SYS_PTRACE CAP_DAC_READ_SEARCH CAP_SYS_CHROOT CAP_SYSLOG CAP_IPC_LOCK
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
ReadOnlyPaths=/sys /proc/sys /proc/irq -/proc/sysrq-trigger
ReadWritePaths=-/sys/kernel/tracing -/sys/kernel/debug/tracing -/proc/sys/kernel/bpf_stats_enabled
InaccessiblePaths=-/etc/shadow -/etc/gshadow -/etc/ssh
PrivateTmp=yes
PrivateMounts=yes
PrivateIPC=yes
PrivateNetwork=yes
IPAddressDeny=any
DevicePolicy=closed
DeviceAllow=/dev/kmsg r
ProtectClock=yes
ProtectHostname=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_UNIX
RestrictSUIDSGID=yes
RestrictRealtime=yes
RestrictNamespaces=mnt
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service @mount bpf perf_event_open
SystemCallFilter=~@aio @chown @keyring @setuid
SystemCallErrorNumber=EPERM
KeyringMode=private
LimitMEMLOCK=infinity
LimitNOFILE=65536
LimitCORE=0
MemoryMax=4G
TasksMax=128
RuntimeMaxSec=90000
TimeoutStopSec=10
KillMode=control-group
`;

/** Spaces end a word, and a percent sign begins a specifier. */
const quoted = (word: string): string =>
  `"${word.replace(/(["\\])/g, '\\$1').replaceAll('%', '%%')}"`;
