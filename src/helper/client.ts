import { Duplex } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { Command } from '../../allowlist/command.ts';
import { closeAtTheEnd, isEnding } from '../exec/live-groups.ts';
import { canceled, type Finished, type Running, type StartOptions } from '../exec/start.ts';
import { type Connection, openConnection } from './connection.ts';
import type { HelperPipe } from './pipe.ts';

export type HelperClient = Readonly<{
  /** Has the helper make the command anew and run it. PERMISSION_DENIED where it cannot be reached. */
  start(command: Command, options?: StartOptions): Promise<Running>;
  /** Whether a file of this name was written by a program that the helper ran. */
  holds(name: string): boolean;
  readFrom(name: string, offset: number, bytes: number): Promise<Uint8Array>;
  remove(name: string): void;
  close(): void;
}>;

const stderr_cap = 4096;
const piece_bytes = 1024 * 1024;
/** A helper that nobody uses and that keeps nothing goes. */
const idle_ms = 60_000;

/** One connection for all, made when it is first needed, and anew where it was lost. */
export function helperClient(connect: () => HelperPipe): HelperClient {
  const held = new Set<string>();
  let current: Promise<Connection> | null = null;
  let pipe: HelperPipe | null = null;
  let idle: NodeJS.Timeout | undefined;
  // A program that a helper runs for us would keep us here.
  closeAtTheEnd(() => pipe?.close());

  function connection(): Promise<Connection> {
    if (current !== null) return current;
    let mine: Promise<Connection> | null = null;
    const lost = (): void => {
      // Another may have taken its place.
      if (current !== mine) return;
      current = null;
      held.clear();
    };
    mine = Promise.resolve().then(() => {
      pipe = connect();
      return openConnection(pipe, { onIdle: rest, onClose: lost });
    });
    mine.catch(lost);
    current = mine;
    return mine;
  }

  /** Also one that has just greeted us, and waits for nothing else yet. */
  async function inUse(): Promise<Connection> {
    const open = await connection();
    clearTimeout(idle);
    return open;
  }

  function rest(): void {
    clearTimeout(idle);
    idle = setTimeout(() => (held.size === 0 ? close() : rest()), idle_ms).unref();
  }

  function close(): void {
    void current?.then((open) => open.close()).catch(() => {});
  }

  return {
    async start(command, options = {}) {
      if (options.signal?.aborted || isEnding()) throw canceled();
      const { request } = command;
      if (request === null) throw new Error(`${command.program.name} is not for a helper`);
      const open = await inUse();
      const { output } = request.parameters;
      if (typeof output === 'string') held.add(output);
      return await startRun(open, command, options);
    },
    holds: (name) => held.has(name),
    async readFrom(name, offset, bytes) {
      const pieces: Buffer[] = [];
      for (let at = 0; at < bytes; ) {
        const wanted = Math.min(piece_bytes, bytes - at);
        const piece = await (await inUse()).read(name, offset + at, wanted);
        pieces.push(piece);
        at += piece.length;
        if (piece.length < wanted) break;
      }
      return Buffer.concat(pieces);
    },
    remove(name) {
      held.delete(name);
      void current?.then((open) => open.send({ op: 'remove', file: name })).catch(() => {});
    },
    close,
  };
}

async function startRun(
  open: Connection,
  { request, controlPipes }: Command,
  options: StartOptions,
): Promise<Running> {
  if (request === null) throw new Error('no request');
  const started_at = performance.now();
  const output = outputOf(options);
  const acks = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const { run, started, finished } = open.start(request, {
    stdout: output.stdout,
    stderr: output.stderr,
    control: (bytes) => acks.push(Buffer.from(bytes)),
  });
  const cancel = (): void => open.send({ op: 'cancel', run });
  options.signal?.addEventListener('abort', cancel, { once: true });
  const ended = finished
    .then((end): Finished => {
      const { stdout, stderr } = output.taken();
      // One that was lost with its helper was killed with it.
      const lost = {
        exit_code: null,
        signal: 'SIGKILL',
        stopped_by: 'exit',
        duration_ms: Math.round(performance.now() - started_at),
      } as const;
      return { ...(end ?? lost), stdout, stderr: end?.stderr ?? stderr };
    })
    .finally(() => {
      options.signal?.removeEventListener('abort', cancel);
      acks.destroy();
    });
  const { pid } = await started;
  return {
    pid,
    finished: ended,
    stop: () => open.send({ op: 'stop', run }),
    printMaps: (signal = 'SIGUSR1') => open.send({ op: 'printMaps', run, signal }),
    control(fd) {
      if (fd < 3 || fd >= 3 + controlPipes) throw new Error(`there is no control pipe ${fd}`);
      return fd === 3 ? words(open, run) : acks;
    },
  };
}

/** What is written into it goes to the control channel of perf, as far as the helper passes it on. */
function words(open: Connection, run: number): Duplex {
  return new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      const word = chunk.toString('utf8').trim();
      if (word === 'enable' || word === 'ping') open.send({ op: 'tell', run, word });
      done();
    },
  });
}

/** Hands on what is printed as src/exec/start.ts does. */
function outputOf({ onStdout, onStdoutBytes, onStderr }: StartOptions) {
  const decoder = new StringDecoder('utf8');
  const errors = new StringDecoder('utf8');
  let stdout = '';
  let stderr = '';
  const hand = (text: string): void => {
    if (onStdout) onStdout(text);
    else stdout += text;
  };
  return {
    stdout(bytes: Buffer): void {
      if (onStdoutBytes) void onStdoutBytes(bytes);
      else hand(decoder.write(bytes));
    },
    stderr(bytes: Buffer): void {
      const text = errors.write(bytes);
      void onStderr?.(text);
      if (stderr.length < stderr_cap) stderr = (stderr + text).slice(0, stderr_cap);
    },
    taken: () => ({ stdout: stdout + (onStdoutBytes ? '' : decoder.end()), stderr }),
  };
}
