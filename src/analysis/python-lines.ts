import type { ScaleneFile, ScaleneLine, ScaleneProfile } from '../../parsers/scalene/scalene.ts';

/** A line of a profiled program with its place: the unit that every view of a profile is made of. */
export type PlacedLine = ScaleneLine &
  Readonly<{
    file: string;
    /** Name of the function around it; null at module level and where nothing tells. */
    function_name: string | null;
    in_loop: boolean;
    /** Python and native time together: on a CPU, not waiting. */
    cpu_pct: number;
  }>;

export function placedLines(profile: ScaleneProfile): readonly PlacedLine[] {
  return profile.files.flatMap((file) => file.lines.map((line) => place(file, line)));
}

function place(file: ScaleneFile, line: ScaleneLine): PlacedLine {
  return {
    ...line,
    file: file.path,
    function_name: enclosing(file, line)?.name ?? null,
    in_loop: line.loop !== null,
    cpu_pct: (line.python_pct ?? 0) + (line.native_pct ?? 0),
  };
}

/**
 * 2.x says in which function a line is. 1.5 lists the sampled functions by first line only: the
 * nearest one above is it where the line is indented deeper than its `def`. On the line of the `def`
 * itself Python counts what a call of it costs.
 */
function enclosing(file: ScaleneFile, { line, source, function_line }: ScaleneLine) {
  if (function_line !== null) return file.functions.find((each) => each.line === function_line);
  const above = file.functions.filter((each) => each.line <= line).sort((a, b) => b.line - a.line);
  return above.find(
    (each) => each.line === line || indentOf(source) > indentOf(definitionOf(file, each.line)),
  );
}

const definitionOf = (file: ScaleneFile, at: number): string =>
  file.lines.find((each) => each.line === at)?.source ?? '';

const indentOf = (source: string): number => source.length - source.trimStart().length;
