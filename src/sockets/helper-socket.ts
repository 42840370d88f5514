import { connect } from 'node:net';
import type { HelperPipe } from '../helper/pipe.ts';

/** A helper that systemd starts for each connection to its socket. */
export function socketHelper(path: string): HelperPipe {
  const socket = connect({ path });
  let said = '';
  socket.on('error', (error) => {
    said = error.message;
  });
  return {
    input: socket,
    output: socket,
    keepAlive: (wanted) => (wanted ? socket.ref() : socket.unref()),
    complaint: () => Promise.resolve(said),
    close: () => socket.destroy(),
  };
}
