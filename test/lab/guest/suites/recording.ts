import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import * as z from 'zod/v4';
import { at, packed, texts } from '../../../recordings/decoded.ts';
import { pingPong, spin } from '../lib/load.ts';
import { loadScheduler, offers, unloadScheduler } from '../lib/scheduler.ts';
import { type Server, startServer } from '../lib/server.ts';
import { callTool } from '../lib/tool.ts';

const Recording = z.looseObject({
  path: z.string(),
  switches: z.number(),
  wakeups: z.number(),
  gaps: z.number(),
  lost_events: z.number(),
  from_ns: z.number(),
  to_ns: z.number(),
});
type Recording = z.output<typeof Recording>;

/** A virtual machine under emulation compiles for a while. */
const timeout = 300_000;
const noQueues = (await offers('scx_bpf_create_dsq'))
  ? false
  : 'the BTF of this kernel lets no scheduler create a queue';

describe('a recording under a sched_ext scheduler', { timeout, skip: noQueues }, () => {
  let server: Server;
  let made: Promise<Readonly<{ recording: Recording; trace: Uint8Array }>> | undefined;

  // Not in before: that runs, too, where every test of the suite is left out.
  const recorded = () => {
    made ??= record();
    return made;
  };

  async function record() {
    await loadScheduler('fifo');
    const loads: ReturnType<typeof spin>[] = [];
    // Where all take their turns bpftrace would compile for minutes beside them.
    const load = (message: string) => {
      if (/^recording/.test(message) && loads.length === 0) loads.push(spin(4, '0-1'), pingPong());
    };
    try {
      const args = { duration_seconds: 10 };
      const { data } = await callTool(server, 'record_trace', args, Recording, load);
      return { recording: data, trace: readFileSync(data.path) };
    } finally {
      await Promise.all(loads.map((each) => each.stop()));
    }
  }

  before(async () => {
    server = await startServer();
  });
  after(async () => {
    await unloadScheduler();
    await server.close();
  });

  test('has each switch that it counts, and each gap', async () => {
    const { recording, trace } = await recorded();
    const plain = at(trace, 1, 1, 2, 4).length;
    const compact = packed(trace, 1, 1, 4, 1).length;
    assert.equal(plain + compact, recording.switches + recording.gaps);
    assert.ok(recording.switches > 200, `${recording.switches} switches`);
  });

  test('shows how long tasks stood in the queue of the scheduler, and how many', async () => {
    const { recording, trace } = await recorded();
    const names = texts(trace, 1, 12, 2, 2);
    assert.ok(
      names.some((name) => /^in DSQ /.test(name)),
      names.join(),
    );
    const tracks = texts(trace, 1, 60, 2);
    assert.ok(
      tracks.some((name) => /^DSQ /.test(name)),
      tracks.join(),
    );
    const slices = at(trace, 1).flatMap((packet) => {
      if (typeof packet === 'number') return [];
      const [type] = at(packet, 11, 9);
      return type === 1 || type === 2 ? [{ type, ts: Number(at(packet, 8)[0]) }] : [];
    });
    const begun = slices.filter(({ type }) => type === 1);
    assert.ok(begun.length > 50, `${begun.length} slices`);
    assert.equal(begun.length * 2, slices.length);
    for (const [index, { type, ts }] of slices.entries()) {
      assert.equal(type, (index % 2) + 1);
      assert.ok(ts <= recording.to_ns);
      if (type === 2) assert.ok(ts >= (slices[index - 1]?.ts ?? 0));
    }
  });
});
