import { programs } from '../../allowlist/programs.ts';
import type { Context } from '../context.ts';
import { type ErrorCode, TracewrightError } from '../errors.ts';
import {
  bpfObstacle,
  type Needs,
  type Obstacle,
  programObstacle,
  readOnlyObstacle,
} from './tracing-obstacles.ts';

/**
 * Throws where bpftrace cannot be used here: NOT_ALLOWED in a read-only server, TOOL_NOT_FOUND without
 * bpftrace, CAPABILITY_MISSING without the rights, FEATURE_UNAVAILABLE where the kernel lacks something.
 */
export function refuseUntraceable(ctx: Context, needs: Needs): void {
  refuse('NOT_ALLOWED', readOnlyObstacle(ctx));
  refuse('TOOL_NOT_FOUND', programObstacle(ctx, programs.bpftrace));
  refuse('CAPABILITY_MISSING', bpfObstacle(ctx, programs.bpftrace, {}));
  refuse('FEATURE_UNAVAILABLE', bpfObstacle(ctx, programs.bpftrace, needs));
}

function refuse(code: ErrorCode, obstacle: Obstacle | null): void {
  if (!obstacle) return;
  const { reason, fix } = obstacle;
  throw new TracewrightError(code, reason, fix ?? 'Nothing changes that on this host.');
}
