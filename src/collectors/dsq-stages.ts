import type { DsqOutput } from '../../parsers/dsq/dsq.ts';
import { sumDsq } from '../../parsers/dsq/dsq-sum.ts';
import type { DsqSlice } from './dsq-tracer.ts';
import type { SchedExtState } from './sched-ext.ts';
import { isSameLoad } from './scheduler-change.ts';

/** Which scheduler decided, from when on. */
export type Stage = Readonly<{ from_ms: number; state: SchedExtState }>;

/** What was counted while one scheduler decided. */
export type SchedulerShare = Readonly<{
  state: SchedExtState;
  window_ms: number;
  output: DsqOutput;
}>;

export type Shares = Readonly<{
  shares: readonly SchedulerShare[];
  /** Time of intervals that are of two schedulers, and so of none. */
  left_out_ms: number;
}>;

/**
 * The kernel counts a load just after it has switched the scheduler on: what is seen in between is
 * not another one.
 */
const young_ms = 200;

/** Adds what is seen now to the stages where it is not what was seen before. */
export function noteStage(stages: Stage[], seen: Stage): void {
  const last = stages.at(-1);
  if (last && isSameLoad(last.state, seen.state)) return;
  const young = last && seen.from_ms - last.from_ms < young_ms;
  if (young && last.state.active && last.state.ops?.ops === seen.state.ops?.ops) {
    stages[stages.length - 1] = { ...seen, from_ms: last.from_ms };
  } else stages.push(seen);
}

/** How late the output of an interval may come, and a change be seen. */
const latest_output_ms = 200;
const latest_look_ms = 50;

/**
 * Which scheduler each interval belongs to. Under a single one all counts are its own, and its window
 * is the time it was there; where another one followed, an interval that may be of both is left out.
 */
export function shareOut(
  slices: readonly DsqSlice[],
  stages: readonly Stage[],
  interval_ms: number,
): Shares {
  const decided = stages.filter(({ state }) => state.active);
  const [only] = decided;
  if (only && decided.length === 1) {
    const window_ms = Math.round(presence(only, slices, stages, interval_ms));
    const output = sumDsq(slices.map((slice) => slice.output));
    return { shares: [{ state: only.state, window_ms, output }], left_out_ms: 0 };
  }
  const changes_ms = stages.slice(1).map(({ from_ms }) => from_ms);
  const clear = slices.filter(({ at_ms, output }) => {
    const begin_ms = at_ms - output.intervals * interval_ms - latest_output_ms;
    return !changes_ms.some((change) => change >= begin_ms && change <= at_ms + latest_look_ms);
  });
  const shares = decided.map((stage) => {
    const output = sumDsq(
      clear.filter((slice) => stageAt(stages, slice.at_ms) === stage).map((slice) => slice.output),
    );
    return { state: stage.state, window_ms: output.intervals * interval_ms, output };
  });
  return { shares, left_out_ms: (intervalsOf(slices) - intervalsOf(clear)) * interval_ms };
}

const intervalsOf = (slices: readonly DsqSlice[]): number =>
  slices.reduce((sum, { output }) => sum + output.intervals, 0);

const stageAt = (stages: readonly Stage[], at_ms: number): Stage | undefined =>
  stages.findLast(({ from_ms }) => from_ms <= at_ms) ?? stages[0];

/** How much of the intervals the stage lasted: from their begin, or its own, to its end. */
function presence(
  stage: Stage,
  slices: readonly DsqSlice[],
  stages: readonly Stage[],
  interval_ms: number,
): number {
  const watched_ms = intervalsOf(slices) * interval_ms;
  const index = stages.indexOf(stage);
  const end_ms = slices.at(-1)?.at_ms ?? 0;
  const begin_ms = end_ms - watched_ms;
  const from_ms = index === 0 ? begin_ms : Math.max(begin_ms, stage.from_ms);
  const until_ms = Math.min(end_ms, stages[index + 1]?.from_ms ?? end_ms);
  return Math.max(0, until_ms - from_ms);
}
