/**
 * What a helper answers: frames of nine bytes (kind, number of the run or question, length) and their
 * payload. `hello`, `started`, `finished`, `refused` carry JSON, the others bytes as they came.
 */
export const frameKinds = [
  'hello',
  'started',
  'stdout',
  'stderr',
  'control',
  'finished',
  'refused',
  'data',
] as const;
export type FrameKind = (typeof frameKinds)[number];

export type Frame = Readonly<{ kind: FrameKind; id: number; payload: Buffer }>;

/** Both sides of one version speak it; others are refused. */
export const protocol_version = 1;
const most_payload_bytes = 1024 * 1024;
const header_bytes = 9;

/** A frame as it is sent. The payload is at most `most_payload_bytes` long. */
export function encodeFrame(kind: FrameKind, id: number, payload: Uint8Array): Buffer {
  if (payload.length > most_payload_bytes) throw new Error('a frame is too long');
  const frame = Buffer.allocUnsafe(header_bytes + payload.length);
  frame.writeUInt8(frameKinds.indexOf(kind), 0);
  frame.writeUInt32BE(id, 1);
  frame.writeUInt32BE(payload.length, 5);
  frame.set(payload, header_bytes);
  return frame;
}

/** Splits what comes into frames. Throws where it is none: there is no way to find the next one. */
export function frameReader(onFrame: (frame: Frame) => void): (bytes: Buffer) => void {
  let pieces: Buffer[] = [];
  let have_bytes = 0;
  let wanted_bytes = header_bytes;
  return (bytes) => {
    pieces.push(bytes);
    have_bytes += bytes.length;
    // A frame that comes in many pieces is put together once.
    if (have_bytes < wanted_bytes) return;
    const whole = Buffer.concat(pieces);
    const { at, next_bytes } = takeFrames(whole, onFrame);
    wanted_bytes = next_bytes;
    have_bytes = whole.length - at;
    pieces = have_bytes === 0 ? [] : [whole.subarray(at)];
  };
}

/** Hands on all frames that are whole: where the next one begins, and how long that is at least. */
function takeFrames(bytes: Buffer, onFrame: (frame: Frame) => void) {
  let at = 0;
  for (;;) {
    if (bytes.length - at < header_bytes) return { at, next_bytes: header_bytes };
    const kind = frameKinds[bytes.readUInt8(at)];
    const length = bytes.readUInt32BE(at + 5);
    if (kind === undefined || length > most_payload_bytes) throw new Error('this is no helper');
    const next_bytes = header_bytes + length;
    if (bytes.length - at < next_bytes) return { at, next_bytes };
    const payload = bytes.subarray(at + header_bytes, at + next_bytes);
    onFrame({ kind, id: bytes.readUInt32BE(at + 1), payload });
    at += next_bytes;
  }
}
