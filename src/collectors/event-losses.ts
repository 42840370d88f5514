/**
 * What was lost between the kernel and us, by place in the stream: a reader adds up what was lost
 * in the part that it reads, wherever it starts.
 */
export type LossLog = Readonly<{
  /** So many records were lost in all until record number `next` came, or comes. */
  note(next: number, total: number): void;
  /** How many were lost in front of the records behind `after` up to `last`. */
  between(after: number, last: number): number;
  total(): number;
}>;

type Mark = Readonly<{ seq: number; total: number }>;

/** Losses are looked at once a second: this is more than the longest tracking has. */
const most_marks = 8192;

export function lossLog(): LossLog {
  let marks: Mark[] = [{ seq: 0, total: 0 }];
  const newest = (): number => marks.at(-1)?.total ?? 0;
  const until = (seq: number): number =>
    (marks.findLast((each) => each.seq <= seq) ?? marks[0])?.total ?? 0;
  return {
    note(next, total) {
      if (total <= newest()) return;
      // Nobody has read record `next` yet, so nobody has counted its mark.
      if (marks.at(-1)?.seq === next) marks.pop();
      marks.push({ seq: next, total });
      if (marks.length > most_marks) marks = marks.slice(most_marks / 2);
    },
    between: (after, last) => until(last) - until(after),
    total: newest,
  };
}
