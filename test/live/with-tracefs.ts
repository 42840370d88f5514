/**
 * A program of others, with tracefs where it looks for it, mounted for it alone: the machine may
 * have none, and is left as it was.
 */
export const withTracefs = (program: string, ...args: readonly string[]): [string, string[]] => [
  'unshare',
  ['--mount', 'sh', '-c', `${mounted}; exec "$0" "$@"`, program, ...args],
];

const folder = '/sys/kernel/tracing';
const mounted = `mountpoint -q ${folder} || mount -t tracefs nodev ${folder}`;
