import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as z from 'zod/v4';
import { run } from '../lib/program.ts';
import { startServer } from '../lib/server.ts';

const Doctor = z.looseObject({
  kernel: z.record(z.string(), z.looseObject({ value: z.unknown() })),
  resources: z.array(z.looseObject({ name: z.string(), state: z.string() })),
});

test('doctor sees the kernel that runs, with sched_ext and kprobes', async () => {
  const { kernel } = Doctor.parse(JSON.parse(await run('tracewright', 'doctor', '--json')));
  const release = (await run('uname', '-r')).trim();
  assert.equal(kernel['release']?.value, release);
  assert.equal(kernel['sched_ext']?.value, true);
  assert.equal(kernel['kprobes']?.value, true);
});

test('a resource can be read from the shell', async () => {
  const printed = await run('tracewright', 'read', 'scheduler://current', '--json');
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
