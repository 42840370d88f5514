import { sudoHelper } from '../exec/sudo-helper.ts';
import { socketHelper } from '../sockets/helper-socket.ts';
import { type HelperClient, helperClient } from './client.ts';
import { helperProgram } from './install.ts';
import { unreachable } from './pipe.ts';
import type { HelperRoute } from './privileged-runs.ts';

/** A client of the helper on this way. It connects when it is first asked to run something. */
export function connectHelper(way: HelperRoute, socket: string): HelperClient {
  return helperClient(() => {
    if (way === 'socket') return socketHelper(socket);
    const program = helperProgram();
    if ('weak' in program) {
      throw unreachable(
        `no Tracewright is installed that root alone may change (${program.weak}).`,
      );
    }
    return sudoHelper(program.node, program.bundle);
  });
}
