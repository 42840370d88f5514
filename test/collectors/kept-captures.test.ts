import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { captures } from '../../src/cli/captures.ts';
import { forgetCapture, listCaptures } from '../../src/collectors/kept-captures.ts';
import { createContext } from '../../src/context.ts';

let room: string;
beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), 'tracewright-kept-'));
});
afterEach(() => rmSync(room, { recursive: true, force: true }));

const all = { limit: 10, offset: 0 };
const context = () => createContext({ daemon: false, readOnly: false, stateFolder: room });

describe('captures that are kept', () => {
  test('are listed over all kinds, with the day on which they go', async () => {
    const ctx = context();
    await ctx.captures.save('python', 'app.py', { 'a.txt': 'xy' });
    await ctx.captures.save('recording', 'a trace', { 'a.txt': 'xyz' });
    const { data } = listCaptures(ctx, all);
    expect(data.captures.map(({ kind }) => kind).toSorted()).toEqual(['python', 'recording']);
    expect(data.bytes).toBe(5);
    for (const { created_at, expires_at } of data.captures) {
      expect(Date.parse(expires_at) - Date.parse(created_at)).toBe(7 * 86_400_000);
    }
  });

  test('go when they are deleted by their id, whatever their kind', async () => {
    const ctx = context();
    const { id } = await ctx.captures.save('python', 'app.py', { 'a.txt': 'x' });
    expect(captures(['delete', id], ctx, false)).toBe(`Deleted: ${id}`);
    expect(listCaptures(ctx, all).data.captures).toEqual([]);
  });

  test('cannot be reached by anything but an id', async () => {
    const ctx = context();
    const { id } = await ctx.captures.save('python', 'app.py', { 'a.txt': 'x' });
    for (const wrong of ['', '..', `../python/${id}`, `python/../${id}`, 'python_nothere00']) {
      expect(() => forgetCapture(ctx, wrong)).toThrow(/no capture/);
    }
    expect(() => captures(['delete'], ctx, false)).toThrow(/lists what is kept/);
    expect(listCaptures(ctx, all).data.captures).toHaveLength(1);
  });
});
