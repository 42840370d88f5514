import { vi } from 'vitest';
import { start } from '../../../src/exec/start.ts';
import { nobody_uid } from '../../helper/installed.ts';

// The tests are root, because of what they compare with. The contexts that they make are told to be a
// user's: what has to be asked for goes to the helper and is never started here, while /proc is still
// read, and all else started, by root. Tests that become nobody themselves have no helper.
vi.mock('../../../src/context.ts', async (original) => {
  const real = await original<typeof import('../../../src/context.ts')>();
  const createContext: typeof real.createContext = (settings, root, starter = start) => {
    if (process.geteuid?.() !== 0)
      return real.createContext({ helper: 'none', ...settings }, root, starter);
    const user = vi.spyOn(process, 'geteuid').mockReturnValue(nobody_uid);
    try {
      return real.createContext({ helper: 'socket', ...settings }, root, (command, options) => {
        const { request, program } = command;
        if (request !== null && request.parameters['recording'] === undefined)
          throw new Error(`${program.name} did not go through the helper`);
        return starter(command, options);
      });
    } finally {
      user.mockRestore();
    }
  };
  return { ...real, createContext };
});
