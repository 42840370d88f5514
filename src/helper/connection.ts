import type { CommandRequest } from '../../allowlist/command.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import { TracewrightError } from '../errors.ts';
import type { Finished } from '../exec/start.ts';
import { type Frame, frameReader, protocol_version } from './frames.ts';
import {
  finishedAnswer,
  helloAnswer,
  type Message,
  refusedAnswer,
  startedAnswer,
} from './messages.ts';
import { type HelperPipe, unreachable } from './pipe.ts';

export type Taker = Readonly<Record<'stdout' | 'stderr' | 'control', (bytes: Buffer) => void>>;

/** One program that the helper runs. `finished` is null where the helper was lost before. */
export type HelperRun = Readonly<{
  run: number;
  started: Promise<Readonly<{ pid: number }>>;
  finished: Promise<Finished | null>;
}>;

export type Connection = Readonly<{
  start(request: CommandRequest, taker: Taker): HelperRun;
  read(file: string, offset: number, bytes: number): Promise<Buffer>;
  send(message: Message): void;
  close(): void;
}>;

type Watcher = Readonly<{ onIdle(): void; onClose(): void }>;
type Waiting = Readonly<{ frame(frame: Frame): boolean; lost(): void }>;

/** systemd, sudo and Node.js take a fraction of a second to start it; on a host that is overloaded, many. */
const hello_ms = 45_000;

/** Waits for the helper to say who it is. PERMISSION_DENIED where it does not. */
export async function openConnection(pipe: HelperPipe, watcher: Watcher): Promise<Connection> {
  const waiting = new Map<number, Waiting>();
  let last = 0;
  let isOpen = true;

  function lose(): void {
    if (!isOpen) return;
    isOpen = false;
    pipe.close();
    watcher.onClose();
    for (const each of waiting.values()) each.lost();
    waiting.clear();
  }

  function take(frame: Frame): void {
    if (!waiting.get(frame.id)?.frame(frame)) return;
    waiting.delete(frame.id);
    rest();
  }

  function rest(): void {
    if (waiting.size > 0) return;
    pipe.keepAlive(false);
    watcher.onIdle();
  }

  /** Under a number of its own; what it gets is told by `frame`, which says when it was the last. */
  function wait(make: (id: number) => Waiting): number {
    last += 1;
    const id = last;
    const each = make(id);
    if (!isOpen) {
      each.lost();
      return id;
    }
    waiting.set(id, each);
    pipe.keepAlive(true);
    return id;
  }

  function send(message: Message): void {
    if (isOpen) pipe.input.write(`${JSON.stringify(message)}\n`);
  }

  const greeted = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(lose, hello_ms);
    waiting.set(0, {
      frame({ kind, payload }) {
        clearTimeout(timer);
        const { success, data } = helloAnswer.safeParse(json(payload));
        if (kind === 'hello' && success && data.protocol === protocol_version) resolve();
        else reject(unreachable('it is of another version; install this one for root, too.'));
        return true;
      },
      lost() {
        clearTimeout(timer);
        void pipe.complaint().then((said) => reject(unreachable(untrusted(said, 300))));
      },
    });
  });
  const read = frameReader(take);
  pipe.output.on('data', (bytes: Buffer) => {
    try {
      read(bytes);
    } catch {
      lose();
    }
  });
  for (const event of ['end', 'close', 'error']) pipe.output.on(event, lose);
  for (const event of ['close', 'error']) pipe.input.on(event, lose);
  await greeted.catch((thrown: unknown) => {
    lose();
    throw thrown;
  });

  return {
    send,
    close: lose,
    start(request, taker) {
      const { started, finished, watch } = runWaiting(taker);
      const run = wait(() => watch);
      const { maker, parameters } = request;
      send({ op: 'start', run, maker, parameters });
      return { run, started, finished };
    },
    read(file, offset, bytes) {
      return new Promise((resolve) => {
        const run = wait(() => ({
          frame({ payload }) {
            resolve(Buffer.from(payload));
            return true;
          },
          lost: () => resolve(Buffer.alloc(0)),
        }));
        send({ op: 'read', run, file, offset, bytes });
      });
    },
  };
}

function runWaiting(taker: Taker) {
  const begin = deferred<Readonly<{ pid: number }>>();
  const end = deferred<Finished | null>();
  const watch: Waiting = {
    frame({ kind, payload }) {
      if (kind === 'stdout' || kind === 'stderr' || kind === 'control') taker[kind](payload);
      else if (kind === 'started') begin.resolve(startedAnswer.parse(json(payload)));
      else if (kind === 'finished') end.resolve(finishedAnswer.parse(json(payload)));
      else begin.reject(refusal(payload));
      return kind === 'finished' || kind === 'refused';
    },
    lost() {
      begin.reject(unreachable('it ended.'));
      end.resolve(null);
    },
  };
  return { started: begin.promise, finished: end.promise, watch };
}

const json = (payload: Buffer): unknown => JSON.parse(payload.toString('utf8'));

function refusal(payload: Buffer): TracewrightError {
  const { code, message, suggestion } = refusedAnswer.parse(json(payload));
  return new TracewrightError(code, message, suggestion);
}

function deferred<T>() {
  let resolve = (_value: T): void => {};
  let reject = (_reason: Error): void => {};
  const promise = new Promise<T>((fulfil, fail) => {
    resolve = fulfil;
    reject = fail;
  });
  return { promise, resolve: (value: T) => resolve(value), reject: (why: Error) => reject(why) };
}
