import type { Writable } from 'node:stream';
import { encodeFrame, type FrameKind } from './frames.ts';

/** Writes frames to a client. What a call gives is settled when there is room for more. */
export type FrameWriter = Readonly<{
  bytes(kind: FrameKind, id: number, payload: Uint8Array): Promise<void> | undefined;
  json(kind: FrameKind, id: number, value: object): Promise<void> | undefined;
  /** Settled when there is room; undefined where there is. */
  room(): Promise<void> | undefined;
  /** From now on nothing is written, and nobody waits. */
  end(): void;
}>;

export function frameWriter(output: Writable): FrameWriter {
  let isOver = false;
  let room: Promise<void> | undefined;
  let release = (): void => {};

  function bytes(kind: FrameKind, id: number, payload: Uint8Array): Promise<void> | undefined {
    if (isOver || output.write(encodeFrame(kind, id, payload)) || room) return room;
    room = new Promise<void>((resolve) => {
      release = () => {
        room = undefined;
        resolve();
      };
      output.once('drain', release);
    });
    return room;
  }

  return {
    bytes,
    json: (kind, id, value) => bytes(kind, id, Buffer.from(JSON.stringify(value))),
    room: () => room,
    end(): void {
      isOver = true;
      release();
    },
  };
}
