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
  /** Time of slices that may be of two schedulers, and so are of none. */
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

/** How late a change may be seen. */
const latest_look_ms = 50;

/**
 * Which scheduler each slice belongs to. Under a single one all counts are its own, and its window is
 * the time it was there; where another one followed, a slice that may be of both is left out.
 */
export function shareOut(slices: readonly DsqSlice[], stages: readonly Stage[]): Shares {
  const decided = stages.filter(({ state }) => state.active);
  const [only] = decided;
  if (only && decided.length === 1) {
    const window_ms = Math.round(presence(only, slices, stages));
    const output = sumDsq(slices.map((slice) => slice.output));
    return { shares: [{ state: only.state, window_ms, output }], left_out_ms: 0 };
  }
  const changes_ms = stages.slice(1).map(({ from_ms }) => from_ms);
  const isClear = ({ from_ms, until_ms }: DsqSlice): boolean =>
    !changes_ms.some((change) => change >= from_ms && change <= until_ms + latest_look_ms);
  const clear = slices.filter(isClear);
  const shares = decided.map((stage) => {
    const own = clear.filter((slice) => stageAt(stages, slice.until_ms) === stage);
    const output = sumDsq(own.map((slice) => slice.output));
    return { state: stage.state, window_ms: Math.round(lengthOf(own)), output };
  });
  return { shares, left_out_ms: Math.round(lengthOf(slices) - lengthOf(clear)) };
}

const lengthOf = (slices: readonly DsqSlice[]): number =>
  slices.reduce((sum, { from_ms, until_ms }) => sum + until_ms - from_ms, 0);

const stageAt = (stages: readonly Stage[], at_ms: number): Stage | undefined =>
  stages.findLast(({ from_ms }) => from_ms <= at_ms) ?? stages[0];

/** How much of the slices the stage lasted: from their begin, or its own, to its end. */
function presence(stage: Stage, slices: readonly DsqSlice[], stages: readonly Stage[]): number {
  const index = stages.indexOf(stage);
  const begin_ms = slices[0]?.from_ms ?? 0;
  const end_ms = slices.at(-1)?.until_ms ?? 0;
  const from_ms = index === 0 ? begin_ms : Math.max(begin_ms, stage.from_ms);
  const until_ms = Math.min(end_ms, stages[index + 1]?.from_ms ?? end_ms);
  return Math.max(0, until_ms - from_ms);
}
