import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod/v4';
import { connect } from '../server/stdio.ts';

const Document = z.looseObject({
  unavailable: z.array(z.looseObject({ what: z.string(), reason: z.string() })).min(1),
});
const Contents = z.looseObject({ contents: z.tuple([z.looseObject({ text: z.string() })]) });

const budget_ms = 100;
const reads = 5;

describe.skipIf(existsSync('/sys/kernel/sched_ext'))(
  'a host without sched_ext (skipped: this kernel has it)',
  () => {
    let server: ReturnType<typeof connect>;
    beforeAll(() => {
      server = connect();
    });
    afterAll(() => server.close());

    test.each([
      ['scheduler://current', 'sched_ext scheduler'],
      ['stats://aggregated/dsq', 'stats://aggregated/dsq'],
      ['stats://scheduler/scx', 'stats://scheduler/scx'],
      ['stats://scheduler/raw', 'stats://scheduler/raw'],
    ])('%s says within 100 ms why it has nothing', async (uri, what) => {
      await server.read(uri);
      const times_ms: number[] = [];
      for (let read = 0; read < reads; read++) {
        const start = performance.now();
        const { result } = await server.read(uri);
        times_ms.push(performance.now() - start);
        const { unavailable } = Document.parse(JSON.parse(Contents.parse(result).contents[0].text));
        const [problem] = unavailable;
        expect(problem?.what).toBe(what);
        expect(problem?.reason).toContain('CONFIG_SCHED_CLASS_EXT');
      }
      const median_ms = times_ms.toSorted((a, b) => a - b)[2];
      const told = `${uri}: ${times_ms.map((ms) => ms.toFixed(1)).join(', ')} ms`;
      expect(median_ms, told).toBeLessThan(budget_ms);
    });
  },
);
