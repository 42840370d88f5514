import { describe, expect, test } from 'vitest';
import { parseInterrupts } from '../../parsers/interrupts/interrupts.ts';
import { parseSoftIrqs } from '../../parsers/softirqs/softirqs.ts';
import { topInterrupts, topSoftIrqs } from '../../src/collectors/interrupt-rates.ts';
import { hardwareEvents } from '../../src/collectors/use-facts.ts';

const interrupts = (text: string) => parseInterrupts(text).data;
const softirqs = (text: string) => parseSoftIrqs(text).data;

describe('interrupts of a window', () => {
  test('leave out what a CPU that came online had counted before', () => {
    const before = interrupts('           CPU0\nLOC: 1000   Local timer interrupts\n');
    const after = interrupts('           CPU0 CPU1\nLOC: 1100 9000000   Local timer interrupts\n');
    expect(topInterrupts(before, after, 1000, 5)).toMatchObject([
      { id: 'LOC', per_s: 100, busiest_cpu: null, busiest_cpu_pct: null },
    ]);
  });

  test('stay known when a CPU goes offline', () => {
    const before = interrupts('           CPU0 CPU1\nLOC: 1000 9000000   Local timer interrupts\n');
    const after = interrupts('           CPU0\nLOC: 1100   Local timer interrupts\n');
    expect(topInterrupts(before, after, 1000, 5)).toMatchObject([{ id: 'LOC', per_s: 100 }]);
  });

  // The kernel counts those of each CPU with 32 bits: at 1000 Hz they are full after 50 days.
  test('go on where the count of a CPU has gone round', () => {
    const before = interrupts(
      '           CPU0 CPU1\nLOC: 4294967290 500   Local timer interrupts\n',
    );
    const after = interrupts('           CPU0 CPU1\nLOC: 294 510   Local timer interrupts\n');
    expect(topInterrupts(before, after, 1000, 5)).toMatchObject([
      { id: 'LOC', per_s: 310, busiest_cpu: 0, busiest_cpu_pct: 96.8 },
    ]);
    const soft = (count: number) => softirqs(`           CPU0\n   TIMER: ${count}\n`);
    expect(topSoftIrqs(soft(4_294_967_290), soft(94), 1000, 5)).toEqual([
      { name: 'TIMER', per_s: 100 },
    ]);
  });

  test('are not those of another device that has the number now', () => {
    const before = interrupts('           CPU0\n26: 10   IO-APIC 4-edge ttyS0\n');
    const after = interrupts('           CPU0\n26: 90000   PCI-MSI 1-edge nvme0q1\n');
    expect(topInterrupts(before, after, 1000, 5)).toEqual([]);
  });

  test('bring no fault of a CPU that came online', () => {
    const one = interrupts('           CPU0\nMCE: 0   Machine check exceptions\n');
    const two = interrupts('           CPU0 CPU1\nMCE: 0 7   Machine check exceptions\n');
    const counters = (hard: typeof one) => ({ hard, soft: null });
    expect(hardwareEvents(counters(one), counters(two))).toBe(0);
  });
});
