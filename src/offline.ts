import type { Command } from '../allowlist/command.ts';
import { programs } from '../allowlist/programs.ts';
import { TracewrightError } from './errors.ts';
import type { HostFiles } from './procfs/host-files.ts';

/** Tools that look at files and kept captures alone. Any other is not offered. */
const tools: ReadonlySet<string> = new Set([
  'read_resource',
  'profile_view',
  'analyze_profile',
  'get_cpu_hotspots',
  'get_memory_hotspots',
  'get_gpu_hotspots',
  'get_bottlenecks',
  'get_function_summary',
  'compare_profiles',
  'list_profiles',
  'get_profile',
  'get_file_details',
]);

const resources: ReadonlySet<string> = new Set([
  'captures://list',
  'captures://recording',
  'profiling://captures/{id}/{view}',
]);

export const isOfflineTool = (name: string): boolean => tools.has(name);
export const isOfflineResource = (uri: string): boolean => resources.has(uri);

/** Words of the command line that are not for this machine itself. */
export const isOfflineWord = (word: string): boolean =>
  /^(?:mcp|tools|resources|prompts|call|read|profile|captures|policy|audit|config|completion)$/.test(
    word,
  );

/** The reader of perf.data: `perf script` on a file. */
export const isPerfReader = ({ program, args }: Command): boolean =>
  program.name === programs.perf.name && args[0] === 'script';

/** What a server knows of this host then: itself, and nothing else. */
export function ownFiles(files: HostFiles): HostFiles {
  const own = (path: string): boolean => path.startsWith('/proc/self/') && !path.includes('..');
  return {
    read: (path, maxBytes) =>
      own(path) ? files.read(path, maxBytes) : { ok: false, absence: 'denied', code: 'EACCES' },
    text: (path) => (own(path) ? files.text(path) : null),
    number: (path) => (own(path) ? files.number(path) : null),
    bytes: (path, maxBytes) => (own(path) ? files.bytes(path, maxBytes) : null),
    list: (path) => (own(path) ? files.list(path) : null),
    link: (path) => (own(path) || path === '/proc/self' ? files.link(path) : null),
    exists: (path) => own(path) && files.exists(path),
  };
}

export const offlineRefusal = (what: string): TracewrightError =>
  new TracewrightError(
    'NOT_ALLOWED',
    `This server only analyses what is kept or imported, and ${what} is of this machine.`,
    'Start it without --offline.',
  );
