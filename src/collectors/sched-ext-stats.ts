import { type U64, u64Growth } from '../../parsers/big-json.ts';
import { parseScxEvents, type ScxEvents } from '../../parsers/scx-events/scx-events.ts';
import type { Call, Context } from '../context.ts';
import type { Reading } from '../reading.ts';
import { type CounterWindow, default_window_ms, windowMeter } from './counter-window.ts';
import { perSecond } from './rates.ts';
import { type SchedExtState, sched_ext_root, schedExtState } from './sched-ext.ts';
import { changeInWords, changeSince, isSameLoad } from './scheduler-change.ts';

export type SchedExtStats = Readonly<{
  /** Since the scheduler was loaded, by the kernel's name. SCX_EV_BYPASS_DURATION is in ns. */
  counters: Readonly<Record<string, U64>> | null;
  /** Growth over the window; null where a counter began anew. */
  deltas: Readonly<Record<string, number | null>> | null;
  rates_per_s: Readonly<Record<string, number | null>> | null;
  path: string;
  /** The scheduler that was counted. */
  ops: string | null;
  nr_rejected: number | null;
  enable_seq: number | null;
  /** Counters of schedulers below it; their totals alone. */
  sub_schedulers: readonly Readonly<{
    id: string;
    ops: string | null;
    counters: ScxEvents | null;
  }>[];
}>;

const path = `${sched_ext_root}/root/events`;

type Sample = Readonly<{ state: SchedExtState; events: ScxEvents | null; warnings: number }>;

function sample(ctx: Context): Sample {
  const state = schedExtState(ctx);
  const text = state.active ? ctx.files.text(path) : null;
  if (text === null) return { state, events: null, warnings: 0 };
  const { data, warnings } = parseScxEvents(text);
  return { state, events: data, warnings: warnings.length };
}

const meter = windowMeter(sample);

/** What the kernel counts of its sched_ext scheduler: fallbacks, bypasses, refilled slices. */
export async function collectSchedExtStats(
  ctx: Context,
  window_ms: number | undefined,
  call: Call,
): Promise<Reading<SchedExtStats>> {
  const now = sample(ctx);
  if (now.events === null) return absent(now.state);
  const { before, after, ...window } = await measureOne(ctx, now.state, window_ms, call);
  const change = await changeSince(ctx, now.state, call);
  const changed = change === null ? [] : [changeInWords(change, 'during the window')];
  if (after.events === null) return { ...absent(after.state), warnings: changed };
  // Another scheduler starts its counters at 0.
  const same = isSameLoad(before.state, after.state);
  const earlier = same ? before.events : null;
  const grown = Object.entries(after.events).map(([name, value]): [string, number | null] => {
    const start = earlier?.[name];
    return [name, start === undefined ? null : u64Growth(start, value)];
  });
  const rates = grown.map(([name, delta]): [string, number | null] => [
    name,
    perSecond(delta, window.window_ms),
  ]);
  return {
    data: {
      ...common(after.state),
      counters: after.events,
      deltas: Object.fromEntries(grown),
      rates_per_s: Object.fromEntries(rates),
      sub_schedulers: after.state.sub_schedulers.map(({ id, ops, path: folder }) => {
        const text = ctx.files.text(`${folder}/events`);
        return {
          id,
          ops: ops?.ops ?? null,
          counters: text === null ? null : parseScxEvents(text).data,
        };
      }),
    },
    source: path,
    summary: words(after.state, grown, window.window_ms),
    window_ms: window.window_ms,
    warnings: [
      ...changed,
      ...(same ? [] : [began_anew]),
      ...(after.warnings === 0 ? [] : [`${after.warnings} lines of ${path} are not counters.`]),
    ],
  };
}

const began_anew = 'The counters began anew with another scheduler: growth and rates are null.';

/**
 * Counters at two moments. A baseline that a daemon kept of another scheduler tells nothing about
 * this one, which is then measured afresh.
 */
async function measureOne(
  ctx: Context,
  now: SchedExtState,
  window_ms: number | undefined,
  call: Call,
): Promise<CounterWindow<Sample>> {
  const window = await meter.measure(ctx, window_ms, call);
  const kept = window_ms === undefined && !isSameLoad(window.before.state, now);
  return kept ? await meter.measure(ctx, default_window_ms, call) : window;
}

function common({ ops, nr_rejected, enable_seq }: SchedExtState) {
  return { path, ops: ops?.ops ?? null, nr_rejected, enable_seq };
}

function absent(state: SchedExtState): Reading<SchedExtStats> {
  const reason = state.active
    ? `${path} is not there: mainline has the counters since 6.15.`
    : (state.reason ?? 'No sched_ext scheduler is loaded.');
  return {
    data: { ...common(state), counters: null, deltas: null, rates_per_s: null, sub_schedulers: [] },
    source: sched_ext_root,
    summary: [`No sched_ext counters: ${reason}`],
    unavailable: [{ what: 'stats://scheduler/scx', reason, fix: state.active ? null : state.fix }],
  };
}

function words(
  state: SchedExtState,
  grown: readonly (readonly [string, number | null])[],
  window_ms: number,
): readonly string[] {
  const moving = grown.filter(([, delta]) => delta !== null && delta > 0);
  const what = moving.slice(0, 5).map(([name, delta]) => `${name} +${delta}`);
  const rest = moving.length > 5 ? ` and ${moving.length - 5} more` : '';
  const told = moving.length === 0 ? 'no counter moved' : what.join(', ') + rest;
  return [`${state.ops?.name ?? 'sched_ext'} over ${window_ms} ms: ${told}.`];
}
