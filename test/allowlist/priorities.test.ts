import { expect, test } from 'vitest';
import { bpftraceScript } from '../../allowlist/bpftrace.ts';

const workshop = {
  script: (name: string) => ({ path: `/package/${name}.bt`, text: '' }),
  scratch: {
    write: () => {
      throw new Error('the program is shipped as it is');
    },
  },
};
const capture = { program: { kind: 'whole', name: 'runqlat' } as const, duration_ms: 15_000 };

test('a capture gives way until it is ready, and watches as long as its program does', () => {
  const { gives_way, nice } = bpftraceScript({ ...capture, parameters: [5000, 1000] }, workshop);
  expect(gives_way).toEqual({ ready_line: 1, watches_line: 2, window_ms: 5000 });
  expect(nice).toBe(0);
});

test('a window longer than the time that a program gets is not waited for', () => {
  const { gives_way } = bpftraceScript({ ...capture, parameters: [2 ** 32 - 1] }, workshop);
  expect(gives_way?.window_ms).toBe(15_000);
});

test('what goes before others never gives way', () => {
  const run = { ...capture, parameters: [5000], goes_before: true };
  const { gives_way, nice } = bpftraceScript(run, workshop);
  expect(gives_way).toBeNull();
  expect(nice).toBeLessThan(0);
});
