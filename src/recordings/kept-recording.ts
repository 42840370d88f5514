import { mustBeOf } from '../collectors/capture-ids.ts';
import { unknownCapture } from '../collectors/kept-captures.ts';
import type { Context } from '../context.ts';
import type { Reading } from '../reading.ts';
import { facts_file, openWith, recording_kind, trace_file } from './record-trace.ts';

/** A kept recording, as it was told when it was made; null is the newest. */
export function readRecording(ctx: Context, id: string | null): Reading<object> {
  const all = ctx.captures.list(recording_kind);
  const manifest = id === null ? all[0] : all.find((each) => each.id === id);
  if (manifest === undefined) {
    if (id !== null) {
      mustBeOf('recording', id);
      throw unknownCapture(ctx, id);
    }
    const unavailable = [
      { what: 'recording', reason: 'No recording is kept.', fix: 'record_trace' },
    ];
    const summary = ['No recording is kept: make one with record_trace.'];
    return { data: { recording_id: null }, source: ctx.captures.folder, summary, unavailable };
  }
  const text = ctx.captures.read(recording_kind, manifest.id, facts_file);
  const path = ctx.captures.path(recording_kind, manifest.id, trace_file);
  const facts: object = text === null ? {} : Object(JSON.parse(text));
  const { id: recording_id, created_at, title, bytes } = manifest;
  const open_with = path === null ? null : openWith(path);
  return {
    data: { recording_id, created_at, title, path, bytes, ...facts, open_with },
    source: 'bpftrace, /proc',
    summary: [`${title}, ${created_at}, ${bytes} bytes.`, ...(path === null ? [] : [path])],
  };
}
