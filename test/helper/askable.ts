import type { Command } from '../../allowlist/command.ts';
import { requestedCommand } from '../../allowlist/requests.ts';
import { groundForTest } from './privileged-commands.ts';

const { ground } = groundForTest();

/** Throws where a helper would refuse what a user without root asks it for with this command. */
export function mustBeAskable({ request }: Command): void {
  if (request === null) return;
  const sent: unknown = JSON.parse(JSON.stringify(request.parameters));
  requestedCommand(request.maker, sent, ground);
}
