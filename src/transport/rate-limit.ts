/** Whether one more is let through now: so many a second, and so many at once after a pause. */
export type RateLimit = (count?: number) => boolean;

export function rateLimit(perSecond: number, burst: number, nowMs: () => number): RateLimit {
  let left = burst;
  let at_ms = nowMs();
  return (count = 1) => {
    const now_ms = nowMs();
    left = Math.min(burst, left + ((now_ms - at_ms) / 1000) * perSecond);
    at_ms = now_ms;
    if (left < count) return false;
    left -= count;
    return true;
  };
}
