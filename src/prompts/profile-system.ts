import * as z from 'zod/v4';
import { definePrompt } from './define-prompt.ts';
import { writeWorkflow } from './workflow.ts';

export const profileSystem = definePrompt({
  name: 'profile_system',
  title: 'Profile the system and identify bottlenecks',
  description:
    'Which functions, in kernel and programs, use the CPU time of this host, and what is the bottleneck? Live figures included.',
  args: z.strictObject({}),
  write: (_args, ctx, call) =>
    writeWorkflow(
      {
        goal: 'Find the functions on which this host spends its CPU time, and the bottleneck behind them.',
        uris: [
          'stats://system/cpu',
          'stats://aggregated/process?sort=cpu&limit=5',
          'profiling://perf/status',
        ],
        steps: [
          {
            title: 'Is there anything to profile',
            lines: [
              '`stats://system/cpu`: with `util_pct` below 5 a CPU profile shows little; if users wait all the same, use the prompt `debug_high_latency`.',
            ],
          },
          {
            title: 'Record',
            lines: [
              '`start_perf_profiling` with `duration_secs=10` and the default 99 Hz; `pid` when one process stands out. It ends by itself; `profiling://perf/status` tells how far it is.',
            ],
          },
          {
            title: 'Read',
            lines: [
              '`get_perf_results` with `limit=20`: `percentage` is time in the function itself, `total_percentage` with what it calls. `kernel_pct` and `user_pct` tell whose time it is.',
              '`symbol=NAME` gives the callers of one function as a tree. Follow the one or two functions above 10 %.',
              'Report `lost_samples` when it is not 0, and `event` when it differs from `requested_event`.',
            ],
          },
          {
            title: 'Interpret',
            lines: [
              'Copying (copy_user…, memcpy): data is moved too often or in small pieces.',
              'Spinning (…spin_lock…, futex…): contention; the callers name the lock.',
              'schedule and its like: blocking, not burning; see `voluntary_per_s` of the process.',
              'One user function on top: read its source before anything else.',
            ],
          },
        ],
        stop: [
          'The functions that make up 80 % of the samples are named, with module and callers of the first.',
          'Fewer than 100 samples: say that the host is too idle for a verdict, or record longer.',
        ],
      },
      ctx,
      call,
    ),
});
