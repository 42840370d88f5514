/**
 * What bpftrace prints costs it by the number: half a record of the busiest events is names, which
 * recur. So buffer.bt prints a task as one word, and once a second what the word stands for:
 *
 *     N TASK NAME0 NAME1
 *     s TS META A B X Y
 *
 *     N	4e80013a0024d51	6d72	0
 *     s	14966278814403	100000004b78	4e80013a0024d51	2a7802a9ea8ba2d3	26882	4711
 *
 * TASK, A and B are the id of the thread from bit 42 on, its group from bit 20, and below a hash of
 * its name, so that a word goes on to stand for the same name whoever is renamed, and whatever was
 * lost. META is in hexadecimal; all else, and what may follow behind Y, is as in the long form `e` of
 * stream.ts. A word that was not told yet, or for two names, leaves the name out.
 */
export type TaskWords = Readonly<{
  /** Whether the line tells a word. */
  learn(line: string): boolean;
  /** The two words of the name behind a task, with a tab between them; null before it is told. */
  nameOf(word: string): string | null;
  /** Grows with each word that turns out to stand for two names. */
  doubts(): number;
  /** The long form of a record; any other one as it is. */
  expand(record: string): string;
}>;

/** Every task that is busy within some seconds, on the largest hosts. */
const most_words = 65_536;
const telling = /^N\t([0-9a-f]{1,16})\t([0-9a-f]{1,16}\t[0-9a-f]{1,16})$/;
const short = /^s\t(\d+)\t([0-9a-f]{1,13})\t([0-9a-f]{1,16})\t([0-9a-f]{1,16})\t(\d+\t\d+)/;
const unknown = '0\t0';

export function taskWords(): TaskWords {
  const names = new Map<string, string>();
  let doubts = 0;

  const nameOf = (word: string): string | null => names.get(word) ?? null;

  return {
    learn(line) {
      const [, word, name] = telling.exec(line) ?? [];
      if (word === undefined || name === undefined) return false;
      const before = names.get(word) ?? name;
      if (before !== name && before !== unknown) doubts += 1;
      // Told anew it is the youngest.
      names.delete(word);
      names.set(word, before === name ? name : unknown);
      const [oldest] = names.size > most_words ? names.keys() : [];
      if (oldest !== undefined) names.delete(oldest);
      return true;
    },
    nameOf,
    doubts: () => doubts,
    expand(record) {
      const [all, ts, meta, a, b, xy] = short.exec(record) ?? [];
      if (all === undefined || meta === undefined || a === undefined || b === undefined) {
        return record;
      }
      const numbers = [Number.parseInt(meta, 16), ...taskIds(a), ...taskIds(b)].join('\t');
      const both = `${nameOf(a) ?? unknown}\t${nameOf(b) ?? unknown}`;
      return `e\t${ts}\t${numbers}\t${xy}\t${both}${record.slice(all.length)}`;
    },
  };
}

const hash_digits = 5;

/** Thread and thread group: what is above the hash is below 2^44, which a double holds. */
export function taskIds(word: string): readonly [pid: number, tgid: number] {
  const ids = word.length > hash_digits ? Number.parseInt(word.slice(0, -hash_digits), 16) : 0;
  return [Math.floor(ids / 2 ** 22), ids % 2 ** 22];
}
