import * as z from 'zod/v4';

/** What start, stop and status answer. */
export const profileStatus = z.looseObject({
  status: z.enum(['Idle', 'Running', 'Stopped']),
  mode: z.enum(['sampling', 'tracing']),
  samples_collected: z.int(),
  duration_ms: z.number(),
  config: z
    .looseObject({
      event: z.string(),
      freq: z.number(),
      cpu: z.int(),
      pid: z.int(),
      max_samples: z.int(),
      duration_secs: z.number(),
    })
    .nullable(),
  stopped_by: z.string().nullable(),
  lost_samples: z.int(),
});
