import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseStreamRecord } from '../../parsers/stream/stream.ts';
import { untrusted } from '../../parsers/untrusted.ts';

/** As a program reads it out of the kernel: two words of eight bytes, zeroes behind the text. */
function words(text: Uint8Array): string {
  const bytes = Buffer.alloc(16);
  bytes.set(text.subarray(0, 15));
  return [0, 8].map((at) => bytes.readBigUInt64LE(at).toString(16)).join('\t');
}

const switchTo = (name: Uint8Array): string =>
  `e\t18988787672343\t17592186075266\t1\t1\t2\t2\t10\t20\t0\t0\t${words(name)}`;

describe('parseStreamRecord', () => {
  test('gives back any name that a task can have, made printable', () => {
    const byte = fc.integer({ min: 1, max: 255 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 15 }), byte, (raw, filler) => {
        const bytes = raw.map((each) => each || filler);
        const event = parseStreamRecord(switchTo(bytes));
        const text = new TextDecoder().decode(bytes);
        expect(event?.['next_comm']).toBe(text === '' ? null : untrusted(text, 16));
      }),
    );
  });

  test('never throws, and gives no event with a time that is no number', () => {
    const field = fc.oneof(fc.constantFrom('e', 'x', 'q', '0', '1', 'ff', ''), fc.string());
    fc.assert(
      fc.property(fc.array(field, { maxLength: 20 }), (fields) => {
        const event = parseStreamRecord(fields.join('\t'));
        expect(event === null || Number.isSafeInteger(event.ts)).toBe(true);
      }),
    );
  });

  test.each([
    [0, 'R', false],
    [1, 'S', false],
    [2, 'D', false],
    [0x80, 'I', false],
    [0x100, 'R', true],
  ])('reads state %s as %s', (bits, letter, preempt) => {
    const meta = 2 ** 44 + 3 * 2 ** 28 + bits * 2 ** 16 + 120 * 256 + 0xff;
    const event = parseStreamRecord(`e\t5\t${meta}\t1\t1\t2\t2\t0\t0\t0\t0\t0\t0`);
    expect(event).toMatchObject({ cpu: 3, prev_state: letter, preempt, prev_prio: 120 });
    expect(event).toMatchObject({ next_prio: -1, next_wakeup_lat_us: null, next_comm: null });
  });

  test('keeps every digit of the id of a queue', () => {
    const record = `${switchTo(Buffer.from('a'))}\t8000000000000002\t20000000\tc000000000000001\t1500\t2\t9\t20000000`;
    expect(parseStreamRecord(record)).toMatchObject({
      prev_dsq_id: '0x8000000000000002',
      next_dsq_id: '0xc000000000000001',
      next_dsq_lat_us: 1.5,
      next_dsq_nr_queued: 2,
      next_slice_ns: 20_000_000,
    });
  });

  test('tells a task that came from no queue', () => {
    const record = `${switchTo(Buffer.from('a'))}\t0\t20000000\t0\t0\t0\t0\t20000000`;
    expect(parseStreamRecord(record)).toMatchObject({ next_dsq_id: null, next_dsq_lat_us: null });
  });

  test('lists the CPUs that an interrupt goes to', () => {
    const record = 'k\t5\t0\t1\t1\t10\t8000000000000006\t1\t0\t0\t61\t0\t0';
    expect(parseStreamRecord(record)).toMatchObject({
      type: 'ipi',
      target_cpu: null,
      target_cpus: [1, 2, 63, 64],
      callback: null,
    });
  });

  test('gives the stacks of a sample, kernel and program apart', () => {
    const record = [
      'p\t5\t1\t7\t7\t61\t0',
      ' k',
      '\tffffffff813a4413 finish_task_switch.isra.0+147',
      '\tffffffff821faa94 __schedule+980',
      ' u',
      '\t7fa69478a941 0x7fa69478a941 ([unknown])',
    ].join('\n');
    expect(parseStreamRecord(record)).toMatchObject({
      is_kernel: true,
      instruction_pointer: '0xffffffff813a4413',
      kernel_symbols: ['finish_task_switch.isra.0+147', '__schedule+980'],
      user_stack: ['0x7fa69478a941'],
    });
  });

  test('says how a task ended', () => {
    const exit = (told: number) => parseStreamRecord(`q\t5\t0\t9\t9\t120\t${told}\t61\t0`);
    expect(exit(7 * 256 + 1)).toMatchObject({ exit_code: 7, exit_signal: null });
    expect(exit(15 + 1)).toMatchObject({ exit_code: null, exit_signal: 15 });
    expect(exit(0)).toMatchObject({ exit_code: null, exit_signal: null });
  });
});
