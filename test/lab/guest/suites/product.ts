import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as z from 'zod/v4';
import { run } from '../lib/program.ts';
import { asItsUser, helper, isRoot, route } from '../lib/route.ts';
import { startServer } from '../lib/server.ts';

const Doctor = z.looseObject({
  rights: z.looseObject({ runs_as: z.string(), helper: z.string().nullable() }),
  kernel: z.record(z.string(), z.looseObject({ value: z.unknown() })),
  resources: z.array(z.looseObject({ name: z.string(), state: z.string() })),
});

test('doctor sees the kernel that runs, with sched_ext and kprobes, and as whom it does', async () => {
  // The socket of systemd is found; sudo has to be asked for.
  const way = route === 'sudo' ? helper : [];
  const printed = await run(...asItsUser('tracewright', 'doctor', '--json', ...way));
  const { kernel, rights } = Doctor.parse(JSON.parse(printed));
  assert.equal(rights.runs_as, isRoot ? 'root' : 'user');
  assert.equal(rights.helper, helper.at(-1) ?? null, JSON.stringify(rights));
  const release = (await run('uname', '-r')).trim();
  assert.equal(kernel['release']?.value, release);
  assert.equal(kernel['sched_ext']?.value, true);
  assert.equal(kernel['kprobes']?.value, true);
});

test('a resource can be read from the shell', async () => {
  const printed = await run(...asItsUser('tracewright', 'read', 'scheduler://current', '--json'));
  assert.equal(z.looseObject({ class: z.string() }).parse(JSON.parse(printed)).class, 'fair');
});

test('an MCP client gets the resources and tools of the installed program', async () => {
  const server = await startServer();
  try {
    const { resources } = await server.client.listResources();
    const { tools } = await server.client.listTools();
    assert.ok(resources.some(({ uri }) => uri === 'scheduler://current'));
    assert.ok(tools.some(({ name }) => name === 'query_stats'));
  } finally {
    await server.close();
  }
});
