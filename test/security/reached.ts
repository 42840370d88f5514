import { Session } from 'node:inspector/promises';

/** Tells which inputs lead the parsers where none has led them before. */
export type Reached = Readonly<{
  /** Whether what has run since the last question went somewhere new. */
  isNew(): Promise<boolean>;
  /** Ranges of code that have been reached, of how many that the engine told of. */
  ranges(): number;
  stop(): Promise<void>;
}>;

/** The engine's own counts of each range of code, of modules whose address matches. */
export async function watchReached(modules: RegExp): Promise<Reached> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  // With counts the engine begins anew at each question.
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const known = new Set<string>();
  return {
    async isNew() {
      const { result } = await session.post('Profiler.takePreciseCoverage');
      const before = known.size;
      for (const { url, functions } of result) {
        if (!modules.test(url)) continue;
        for (const { ranges } of functions) {
          for (const { startOffset, endOffset, count } of ranges) {
            // How often, by powers of four: a loop that turns more often is something new as well.
            if (count > 0) known.add(`${url} ${startOffset} ${endOffset} ${Math.log2(count) >> 1}`);
          }
        }
      }
      return known.size > before;
    },
    ranges: () => known.size,
    async stop() {
      await session.post('Profiler.stopPreciseCoverage');
      session.disconnect();
    },
  };
}
