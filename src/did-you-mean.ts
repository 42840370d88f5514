/** ` Did you mean "doctor"?` for "docter", to be put behind what is wrong; nothing where no name is near. */
export function didYouMean(word: string, names: readonly string[]): string {
  const name = nearest(word, names);
  return name === undefined ? '' : ` Did you mean "${name}"?`;
}

/** `There is no tool "perf_triag". Did you mean "perf_triage"?`, or `Which tool?` where none is named. */
export const thereIsNo = (what: string, name: string, names: readonly string[]): string =>
  name === ''
    ? `Which ${what}?`
    : `There is no ${what} "${name.slice(0, longest)}".${didYouMean(name, names)}`;

/** Longer words are not typed: comparing them would cost more than it helps. */
const longest = 80;

/** The one name that has the word in it, or that a slip or two lead to. */
function nearest(word: string, names: readonly string[]): string | undefined {
  if (word.length < 2 || word.length > longest) return undefined;
  const typed = word.toLowerCase();
  const slips = Math.max(1, Math.floor(typed.length / 4));
  const [best] = names
    .map((name) => ({ name, distance: distance(typed, name.toLowerCase()) }))
    .filter((each) => each.distance <= slips)
    .sort((a, b) => a.distance - b.distance);
  if (best) return best.name;
  const [only, another] = typed.length < 3 ? [] : names.filter((name) => name.includes(typed));
  return another === undefined ? only : undefined;
}

/** Letters to add, drop, change or swap with their neighbour (optimal string alignment). */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const changed = a[row - 1] === b[column - 1] ? 0 : 1;
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current[column] = Math.min(
        (current[column - 1] ?? 0) + 1,
        (previous[column] ?? 0) + 1,
        (previous[column - 1] ?? 0) + changed,
        swapped ? (before[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    before = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}
