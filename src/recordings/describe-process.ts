import { parseCmdline } from '../../parsers/cmdline/cmdline.ts';
import { isKernelThread } from '../../parsers/pid-stat/pid-stat.ts';
import { parsePidStatus } from '../../parsers/pid-status/pid-status.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import { readStat, shownArguments } from '../collectors/process-facts.ts';
import { pidsDiffer } from '../collectors/traced-process.ts';
import type { Context } from '../context.ts';
import type { DescribeProcess } from './perfetto/process-names.ts';

const longest_cmdline_bytes = 4096;
const longest_word = 120;
/** Credentials in it take less room than they had. */
const longest_looked_at = 512;
const most_words = 16;
/** A recording does not read /proc for longer than that of so many processes takes. */
const most_processes = 20_000;

/** What /proc says of a process; nothing where its numbers are not those of the kernel. */
export function describeProcess(ctx: Context): DescribeProcess {
  const isClosed = pidsDiffer(ctx);
  let described = 0;
  return (pid) => {
    if (isClosed || described >= most_processes) return null;
    described += 1;
    const folder = `/proc/${pid}`;
    const stat = readStat(ctx.files, `${folder}/stat`);
    if (stat === null) return null;
    const status = ctx.files.text(`${folder}/status`);
    const file = ctx.files.read(`${folder}/cmdline`, longest_cmdline_bytes);
    const args = file.ok ? parseCmdline(file.text).slice(0, most_words) : [];
    const words = shownArguments(
      args.map((each) => each.slice(0, longest_looked_at)),
      ctx.settings,
    );
    return {
      pid,
      ppid: stat.ppid,
      uid: status === null ? null : parsePidStatus(status).data.uid_real,
      // A thread of the kernel has no command line: its name stands there, as Perfetto has it.
      cmdline: (words.length === 0 ? [stat.comm] : words).map((word) =>
        untrusted(word, longest_word),
      ),
      is_kernel_thread: isKernelThread(stat.flags),
    };
  };
}
