import { expect, test } from 'vitest';
import {
  type PreparedMessage,
  preparePiece,
  standIn,
  withPreparedText,
} from '../../src/transport/prepared-text.ts';

const answer = (text: string) => ({
  jsonrpc: '2.0',
  id: 7,
  result: { contents: [{ uri: 'events://stream', mimeType: 'application/x-ndjson', text }] },
});

const sent = (message: PreparedMessage | null): string =>
  (message?.pieces ?? []).map((piece) => piece.toString()).join('');

test('prepared text goes out as the answer that would have held it', () => {
  const parts = ['{"comm":"a\\"b"}\n', '{"comm":"\u2028é\\\\"}\n', ''];
  const word = standIn({ escaped: parts.map(preparePiece) });
  const line = sent(withPreparedText(answer(word)));
  expect(line).toBe(`${JSON.stringify(answer(parts.join('')))}\n`);
});

test('other messages go their own way', () => {
  const word = standIn({ escaped: [preparePiece('kept')] });
  expect(withPreparedText(answer('text'))).toBeNull();
  expect(withPreparedText({ jsonrpc: '2.0', id: 1, result: {} })).toBeNull();
  expect(withPreparedText({ jsonrpc: '2.0', method: 'notifications/progress' })).toBeNull();
  expect(sent(withPreparedText(answer(word)))).toContain('kept');
});

test('text is sent once, and text of answers that are never sent is let go', () => {
  const first = standIn({ escaped: [preparePiece('first')] });
  const later = Array.from({ length: 8 }, () => standIn({ escaped: [preparePiece('later')] }));
  expect(withPreparedText(answer(first))).toBeNull();
  expect(sent(withPreparedText(answer(later[0] ?? '')))).toContain('later');
  expect(withPreparedText(answer(later[0] ?? ''))).toBeNull();
});

test('whoever prepared text is told when it has gone out', () => {
  let told = 0;
  const word = standIn({
    escaped: [preparePiece('text')],
    sent: () => {
      told += 1;
    },
  });
  const message = withPreparedText(answer(word));
  expect(told).toBe(0);
  message?.sent();
  expect(told).toBe(1);
});
