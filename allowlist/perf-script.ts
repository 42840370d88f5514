import { approve, type Command, fileNameOf, ownPath, type Sandbox, userPath } from './command.ts';
import { programs } from './programs.ts';

/** To read the symbols of the kernel and of each program takes a CPU half a second. */
const while_it_names = { ready_line: Infinity, watches_line: Infinity, window_ms: 0 };

/**
 * `perf script` on a recording of ours, as text for parsers/perf-script. Offsets into the function
 * (symoff) and inlined frames are left out: the first makes the text longer, the second starts
 * addr2line for every frame. Nothing that runs a script or reads another file can be said here.
 * `times`: microseconds, as perf prints them by itself, or nanoseconds.
 */
export function perfScript(recording: string, times: 'us' | 'ns' = 'us'): Command {
  return approve({
    program: programs.perf,
    args: [
      'script',
      ...['-i', ownPath(recording)],
      '--no-inline',
      ...(times === 'ns' ? ['--ns'] : []),
      ...['-F', 'comm,pid,tid,cpu,time,event,ip,sym,dso'],
    ],
    gives_way: while_it_names,
    // The text of a recording is about seven times as long as the recording.
    limits: { duration_ms: 300_000, output_bytes: 8 * 1024 ** 3 },
    request: { maker: 'perfScript', parameters: { recording: fileNameOf(recording), times } },
  });
}

const memory_bytes = 4 * 1024 ** 3;

/**
 * The same on a recording of a user's, which perf reads although someone else made it (-f): the caller
 * has resolved the path and found it below a folder that the operator allows. As `user` where one is
 * named: root reads no file through perf that someone else may have forged.
 */
export function importedPerfScript(recording: string, user: Sandbox['user']): Command {
  return approve({
    program: programs.perf,
    args: [
      'script',
      '-f',
      ...['-i', userPath('recording', recording)],
      '--no-inline',
      // The usual fields: perf refuses to print one by name that a recording lacks.
      ...['-F', '+pid'],
    ],
    limits: { duration_ms: 300_000, output_bytes: 8 * 1024 ** 3 },
    sandbox: user === null ? null : { user, cwd: '/', memory_bytes },
  });
}
