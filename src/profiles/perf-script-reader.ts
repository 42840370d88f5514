import { ParseError } from '../../parsers/parsed.ts';
import type { Frame } from '../../parsers/perf-script/frame.ts';
import type { Task } from '../../parsers/perf-script/header.ts';
import { perfScriptParser } from '../../parsers/perf-script/perf-script.ts';
import { type ProfileBuilder, profileBuilder } from '../analysis/profile.ts';
import { fromSamples } from './from-samples.ts';
import type { ProfileReader } from './profile-reader.ts';
import type { StackProfile } from './stack-profile.ts';

type Event = { builder: ProfileBuilder; first_s: number; last_s: number; samples: number };

/** Text of perf script, a profile for each event, the one with the most samples first. */
export function perfScriptReader(): ProfileReader {
  const frames: Frame[] = [];
  const tasks: Task[] = [];
  const events = new Map<string, Event>();
  const decoder = new TextDecoder();
  const parser = perfScriptParser({
    frame: (frame) => frames.push(frame) - 1,
    task: (task) => tasks.push(task) - 1,
    sample({ task, cpu, time_s, event }, stack, depth) {
      const who = tasks[task];
      if (!who) return;
      const known = events.get(event);
      const sums = known ?? { builder: profileBuilder(), first_s: time_s, last_s: 0, samples: 0 };
      if (!known) events.set(event, sums);
      const { builder } = sums;
      sums.last_s = time_s;
      sums.samples++;
      const numbers = Int32Array.from(stack.subarray(0, depth), (number) => {
        const frame = frames[number];
        return frame ? builder.symbol(frame) : 0;
      });
      builder.add({ process: builder.process(who), cpu, weight: 1 }, numbers, depth);
    },
  });
  return {
    push: (bytes) => parser.push(decoder.decode(bytes, { stream: true })),
    end() {
      const { samples, lost, warnings } = parser.end();
      if (samples === 0) throw new ParseError('there is no sample in the text of perf script');
      const words = warnings.slice(0, 5).map(({ line, reason }) => `line ${line}: ${reason}`);
      return [...events]
        .sort((a, b) => b[1].samples - a[1].samples)
        .map(([event, { builder, first_s, last_s }]): StackProfile => {
          const duration_ms = Math.round((last_s - first_s) * 1000);
          const facts = { event: event.replace(/:$/, ''), period: null, lost, warnings: words };
          return fromSamples(builder.finish(), { ...facts, duration_ms });
        });
    },
  };
}
