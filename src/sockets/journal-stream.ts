import { connect, type Socket } from 'node:net';
import { TracewrightError } from '../errors.ts';

/** Where journald takes text line by line; `systemd-cat` writes there, too. */
const path = '/run/systemd/journal/stdout';
/** Name, unit, priority (6: info), no prefixes of priority, and three places to forward it to: none. */
const greeting = 'tracewright\n\n6\n0\n0\n0\n0\n';
const connect_ms = 2000;

/**
 * Lines to journald, as sd_journal_stream_fd(3) of systemd 252 sends them. The connection keeps no
 * process alive except while something is on its way. One that breaks is made anew for the next lines.
 *
 * @throws TracewrightError FEATURE_UNAVAILABLE where no journald listens
 */
export async function journalStream(place = path) {
  let socket: Socket | null = await greeted(place);

  async function writable(): Promise<Socket> {
    if (socket === null || socket.destroyed || !socket.writable) socket = await greeted(place);
    return socket;
  }

  return {
    place: 'journald',
    write(text: string, done: (error: Error | null) => void): void {
      writable().then((to) => {
        to.ref();
        to.write(text, (error) => {
          to.unref();
          done(error ?? null);
        });
      }, done);
    },
    writeNow(): void {
      throw new Error('journald takes nothing from a process that ends at once');
    },
  };
}

function greeted(place: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: place });
    const fail = (reason: string): void => {
      socket.destroy();
      reject(
        new TracewrightError(
          'FEATURE_UNAVAILABLE',
          `journald does not answer at ${place}: ${reason}.`,
          'Start with --audit file, or --audit FILE.',
        ),
      );
    };
    socket.setTimeout(connect_ms, () => fail('no answer'));
    socket.once('error', (error) => fail(error.message));
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.on('error', () => socket.destroy());
      socket.write(greeting);
      socket.unref();
      resolve(socket);
    });
  });
}
