import { PassThrough } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { kernelMessages } from '../../allowlist/dmesg.ts';
import { endAllGroups } from '../../src/exec/live-groups.ts';
import { helperClient } from '../../src/helper/client.ts';

test('a server that ends lets go of its helper, and asks for no other', async () => {
  const close = vi.fn();
  const connect = vi.fn(() => ({
    input: new PassThrough(),
    output: new PassThrough(),
    keepAlive: () => {},
    complaint: () => Promise.resolve(''),
    close,
  }));
  const client = helperClient(connect);
  void client.start(kernelMessages()).catch(() => {});
  await vi.waitFor(() => expect(connect).toHaveBeenCalledOnce());
  expect(close).not.toHaveBeenCalled();
  endAllGroups();
  expect(close).toHaveBeenCalledOnce();
  await expect(client.start(kernelMessages())).rejects.toMatchObject({ code: 'CANCELED' });
  expect(connect).toHaveBeenCalledOnce();
});
