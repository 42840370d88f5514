import type { Call, Context } from '../context.ts';
import type { Reading } from '../reading.ts';
import {
  endCollection,
  openCollection,
  resetCollection,
  runningCollection,
} from './collection-session.ts';
import { round } from './rates.ts';

export type CollectionState = Readonly<{
  /** The documented text. */
  message: string;
  collection_enabled: boolean;
  time_limit_secs: number | null;
  ends_in_secs: number | null;
  attached: readonly string[];
}>;

/** Begins to count context switches, for `duration_secs` at most. Counts of before are gone. */
export async function enableCollection(
  ctx: Context,
  { duration_secs }: Readonly<{ duration_secs: number }>,
  call: Call,
): Promise<Reading<CollectionState>> {
  if (runningCollection(ctx)) return state(ctx, 'Collection already enabled');
  await openCollection(ctx, duration_secs * 1000, call);
  return state(ctx, 'Collection enabled, stats reset');
}

/** Ends it and detaches; the statistics stay to be asked for. */
export async function disableCollection(
  ctx: Context,
  call: Call,
): Promise<Reading<CollectionState>> {
  if (!runningCollection(ctx)) return state(ctx, 'Collection already disabled');
  call.progress('detaching');
  await endCollection(ctx, 'request');
  return state(ctx, 'Collection disabled');
}

/** Begins the statistics anew; collection goes on as it was. */
export async function resetStats(ctx: Context, call: Call): Promise<Reading<CollectionState>> {
  await resetCollection(ctx, call);
  return state(ctx, 'Statistics reset successfully');
}

function state(ctx: Context, message: string): Reading<CollectionState> {
  const running = runningCollection(ctx);
  const ends_in_secs = running && round(running.ends_in_ms / 1000);
  return {
    data: {
      message,
      collection_enabled: running !== null,
      time_limit_secs: running && running.limit_ms / 1000,
      ends_in_secs,
      attached: running?.attached ?? [],
    },
    source: 'bpftrace',
    summary: [
      message,
      ...(running ? [`It ends by itself in ${ends_in_secs} s; its statistics stay then.`] : []),
    ],
  };
}
