import { cpuTime } from './bounded.ts';

type Growth = Readonly<{ name: string; of(times: number): string }>;

const limit_ms = 15_000;
/** Shorter runs tell nothing: garbage and the compiler take longer. */
const worth_ms = 60;
const longest = 512 * 1024;
/** Twice the input may take three times as long, with its garbage. */
const most = 3;

/** An output grown in one way each: as a whole, in one place of one line, by one character. */
export function growths(text: string, others: readonly number[]): readonly Growth[] {
  const lines = text.split('\n');
  const grown = (name: string, before: string, piece: string, after: string): Growth => ({
    name,
    of: (times) => before + piece.repeat(times) + after,
  });
  const last = text.endsWith('\n') ? text : `${text}\n`;
  const found = [grown('all of it', '', last, '')];
  for (const at of others) {
    const chosen = Math.floor(at * lines.length);
    const line = lines[chosen] ?? '';
    const head = lines
      .slice(0, chosen)
      .map((each) => `${each}\n`)
      .join('');
    const tail = lines
      .slice(chosen + 1)
      .map((each) => `\n${each}`)
      .join('');
    found.push(grown(`line ${chosen}`, head, `${line}\n`, tail.slice(1)));
    const from = Math.floor(((at * 7919) % 1) * line.length);
    const before = head + line.slice(0, from);
    const after = line.slice(from) + tail;
    const word = /[\w.:]+[^\w.:]*/.exec(line.slice(from))?.[0] ?? 'a ';
    for (const piece of [
      word,
      ' ',
      '0',
      'a',
      '0 ',
      'a b',
      '\t',
      '"',
      '\\',
      '[',
      '(',
      ',',
      ';',
      '|',
      '-',
      ': ',
    ]) {
      found.push(
        grown(`line ${chosen}, column ${from}, ${JSON.stringify(piece)}`, before, piece, after),
      );
    }
  }
  return found;
}

/** How a growth takes more than so often the time for twice the text, or null where it does not. */
export function tooFast(parse: (text: string) => void, growth: Growth): string | null {
  const time = (times: number): number => {
    const text = growth.of(times);
    return cpuTime(() => parse(text), limit_ms);
  };
  let times = 24;
  let last_ms = 0;
  while (growth.of(times).length < longest) {
    try {
      last_ms = time(times);
    } catch {
      return `${growth.name}: ${times} times take longer than ${limit_ms} ms`;
    }
    if (last_ms >= worth_ms) break;
    times *= 4;
  }
  if (last_ms < worth_ms) return null;
  const ratios: number[] = [];
  for (let confirmed = 0; confirmed < 3; confirmed++) {
    const [once, twice] = [
      Math.min(time(times), time(times)),
      Math.min(time(times * 2), time(times * 2)),
    ];
    const ratio = twice / Math.max(once, 1);
    if (ratio <= most) return null;
    ratios.push(Math.round(ratio * 10) / 10);
  }
  return `${growth.name}: twice ${times} times take ${ratios.join(', ')} times as long as ${times} (${Math.round(last_ms)} ms)`;
}
