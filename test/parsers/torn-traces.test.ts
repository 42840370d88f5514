import { expect, test } from 'vitest';
import { parseGethostlatency } from '../../parsers/gethostlatency/gethostlatency.ts';
import { parseOffcpu } from '../../parsers/offcpu/offcpu.ts';

/** Synthetic: what bpftrace had printed when it was killed on its way. */
const torn = (...lines: readonly string[]): string => `${lines.join('\n')}\n{"type": "ma`;

test('tasks that had not come back waited an unknown time where the end is not told', () => {
  const output = parseOffcpu(
    torn(
      '{"type": "map", "data": {"@from": 1000}}',
      '{"type": "map", "data": {"@since": {"27325": 5000}}}',
      '{"type": "map", "data": {"@process": {"27325": 27281}}}',
    ),
  );
  expect(output.waiting).toBeNull();
});

test('a wait of which no maximum was kept has none, not 0', () => {
  const key = '27281,27323,1,\\n    __schedule+1560\\n';
  const { stacks } = parseOffcpu(
    torn(
      '{"type": "map", "data": {"@from": 1000}}',
      `{"type": "stats", "data": {"@blocked_ns": {"${key}": {"count": 2, "average": 50, "total": 100}}}}`,
    ),
  );
  expect(stacks).toMatchObject([{ count: 2, total_ns: 100, max_ns: null }]);
});

test('which lookups still wait is not known where the end of the window is not told', () => {
  const { unanswered } = parseGethostlatency(torn('{"type": "map", "data": {"@from": 1000}}'));
  expect(unanswered).toBeNull();
});

test('which lookups still wait is not known where lines were lost: of their ends, perhaps', () => {
  const lines = [
    '{"type": "printf", "data": "B 2000 12 sh|example.com"}',
    '{"type": "map", "data": {"@from": 1000}}',
    '{"type": "map", "data": {"@until": 9000}}',
  ];
  const told = (...all: readonly string[]) => parseGethostlatency(all.join('\n')).unanswered;
  expect(told(...lines)).toMatchObject([{ host: 'example.com', waited_ns: 7000 }]);
  expect(told('{"type": "lost_events", "data": {"events": 1}}', ...lines)).toBeNull();
});

test('a lookup that ended is not taken for one that waits, however long the host is up', () => {
  const lines = [
    '{"type": "printf", "data": "B 9107199254740991 12 sh|a.example.com"}',
    '{"type": "printf", "data": "9107199254741994 12 1003 0 sh|a.example.com"}',
    '{"type": "map", "data": {"@from": 9107199254740000}}',
    '{"type": "map", "data": {"@until": 9107199254750000}}',
  ];
  expect(parseGethostlatency(lines.join('\n')).unanswered).toEqual([]);
});
