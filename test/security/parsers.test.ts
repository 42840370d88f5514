import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ParseError } from '../../parsers/parsed.ts';
import { parsers } from '../parsers/registry.ts';
import { bounded } from './bounded.ts';
import { dice, figure, tries } from './budget.ts';
import { mutate } from './mutate.ts';
import { type Reached, watchReached } from './reached.ts';
import { unfit } from './unfit.ts';

const formats = Object.keys(parsers);
const runs = Math.ceil(tries(100_000, 4_000) / formats.length);
const largest_seed_bytes = 32 * 1024;
/** What a queue of inputs that reached new code may grow to. */
const most_kept = 400;
/** For at most 400 KB, on a machine that has much else to do. */
const most_ms = 20_000;
/** Asking the engine costs more than most parsers. */
const asked_each = 24;

let reached: Reached;
let inputs = 0;
const ends = { results: 0, errors: 0, kept: 0 };
beforeAll(async () => {
  reached = await watchReached(/\/parsers\/(?!.*\.test\.)/);
});
afterAll(async () => {
  figure(
    `${inputs} mutated outputs through ${formats.length} parsers: ${ends.results} results, ` +
      `${ends.errors} ParseErrors, nothing else; ${ends.kept} inputs kept because they reached ` +
      `new code, ${reached.ranges()} ranges reached, largest resident set ` +
      `${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`,
  );
  await reached.stop();
});

/** The result or ParseError; what else happens names the input. */
function parse(format: string, input: Buffer): 'results' | 'errors' {
  const text = input.toString('utf8');
  try {
    let found: string[] = [];
    bounded(() => {
      found = unfit(parsers[format]?.(text));
    }, most_ms);
    if (found.length === 0) return 'results';
    throw new Error(`${found.slice(0, 3).join(', ')}`);
  } catch (error) {
    if (error instanceof ParseError) return 'errors';
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new Error(`${format}: ${reason}\ninput: ${JSON.stringify(text.slice(0, 2000))}`, {
      cause: error,
    });
  }
}

describe('whatever a program prints, its parser answers with data or ParseError', () => {
  test.each(formats)(
    '%s',
    async (format) => {
      const queue: Buffer[] = readdirSync(`fixtures/${format}`).map((name) =>
        readFileSync(`fixtures/${format}/${name}/input.txt`).subarray(0, largest_seed_bytes),
      );
      const roll = dice(formats.indexOf(format));
      const any = (): Buffer => queue[Math.floor(roll() * queue.length)] ?? Buffer.from(format);
      let fresh: Buffer[] = [];
      for (let run = 0; run < runs; run++) {
        const input = mutate(any(), any(), roll);
        inputs += 1;
        ends[parse(format, input)] += 1;
        fresh.push(input);
        if (fresh.length < asked_each) continue;
        // Which of them it was is not asked: all of them go on, and the next turn tells.
        if (queue.length < most_kept && (await reached.isNew())) {
          const smallest = fresh.reduce((a, b) => (a.length <= b.length ? a : b));
          const last = fresh[fresh.length - 1] ?? smallest;
          for (const kept of new Set([smallest, last])) {
            if (kept.length > 0) queue.push(kept.subarray(0, largest_seed_bytes));
          }
          ends.kept += 1;
        }
        fresh = [];
      }
      expect(Object.prototype).not.toHaveProperty('x');
    },
    120_000,
  );
});
