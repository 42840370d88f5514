import type { CallTree } from '../analysis/call-tree.ts';
import type { Profile } from '../analysis/profile.ts';
import type { SymbolWeight } from '../analysis/profile-symbols.ts';
import type { Unavailable } from '../reading.ts';
import { share, shortFrame } from './profile-rows.ts';
import type { Session } from './profile-session.ts';
import type { ProfileShares } from './profile-shares.ts';
import { targetText } from './profile-target.ts';
import type { RecordedProfile } from './recorded-profile.ts';

const max_name = 60;
const max_named = 5;

type Told = Pick<ProfileShares, 'kernel_pct' | 'user_pct' | 'idle_pct' | 'without_stack_pct'> &
  Readonly<{ total_samples: number; window_ms: number | null; freq_hz: number | null }>;

/** The profile in a few lines, with the hottest functions or the callers of one. */
export function profileSummary(
  { config, target }: Session,
  profile: Profile,
  told: Told,
  chosen: readonly SymbolWeight[],
  tree: Omit<CallTree, 'name'> | null,
): string[] {
  const rate = told.freq_hz === null ? 'every one' : `at ${told.freq_hz} Hz`;
  const seconds = told.window_ms === null ? '' : ` in ${(told.window_ms / 1000).toFixed(1)} s`;
  const head = `${told.total_samples} samples of ${config.event}, ${rate}${seconds}, ${targetText(target)}${modes(told)}.`;
  if (told.total_samples === 0) return [head, 'None of it ran in this time.'];
  if (tree) return [head, ...tree.lines.slice(0, max_named)];
  const hottest = chosen.slice(0, max_named).map(({ symbol, self, total }) => {
    const name = shortFrame(profile, symbol, max_name);
    return `${name} ${share(self, profile.total)} % (${share(total, profile.total)} % with callees)`;
  });
  return [head, `Hottest: ${hottest.join(', ')}.`];
}

/** Where every event is recorded, its place in the kernel says nothing of time. */
function modes(told: Told): string {
  const { freq_hz, kernel_pct, user_pct, idle_pct, without_stack_pct } = told;
  if (freq_hz === null || kernel_pct === null) return '';
  const idle = idle_pct === null ? '' : ` (idle ${idle_pct} %)`;
  const rest = without_stack_pct ? `, without a stack ${without_stack_pct} %` : '';
  return `: kernel ${kernel_pct} %${idle}, programs ${user_pct} %${rest}`;
}

/** What somebody has to know who uses the numbers. */
export function profileWarnings(session: Session, recorded: RecordedProfile): string[] {
  const { counts, config, notes } = session;
  const warnings = [...notes, ...recorded.warnings];
  if (recorded.cut) {
    warnings.push(
      `The first ${config.max_samples} of ${counts.samples} recorded samples, as max_samples asks.`,
    );
  }
  if (counts.lost > 0) {
    warnings.push(`The kernel dropped ${counts.lost} records: shares are of what is left.`);
  }
  if (counts.throttled > 0) {
    warnings.push(`The kernel paused the event ${counts.throttled} times: a lower freq avoids it.`);
  }
  return warnings;
}

/** Fields that this profile leaves empty. */
export function profileGaps({ user_only }: Session, profile: Profile): Unavailable[] {
  const gaps: Unavailable[] = [
    {
      what: 'file, line, layer_id',
      reason: 'perf script names functions, not source lines, and knows no scheduler layers.',
      fix: null,
    },
  ];
  if (user_only) {
    gaps.push({
      what: 'kernel_pct, user_pct and functions of the kernel',
      reason: 'kernel.perf_event_paranoid leaves the kernel out for this user.',
      fix: 'sudo sysctl kernel.perf_event_paranoid=1',
    });
  }
  const kernel = profile.symbols.filter(({ is_kernel }) => is_kernel);
  if (kernel.length > 0 && kernel.every(({ symbol }) => symbol === '[unknown]')) {
    gaps.push({
      what: 'names of kernel functions',
      reason: 'The kernel hides its addresses (kernel.kptr_restrict).',
      fix: 'sudo sysctl kernel.kptr_restrict=0',
    });
  }
  return gaps;
}
