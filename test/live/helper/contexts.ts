import { vi } from 'vitest';
import { nobody_uid } from '../../helper/installed.ts';

// The tests are root, because of what they compare with. What they test is made to be a user, whose
// programs a helper runs as root; tests that become nobody themselves have none.
vi.mock('../../../src/context.ts', async (original) => {
  const real = await original<typeof import('../../../src/context.ts')>();
  const createContext: typeof real.createContext = (settings, ...more) => {
    if (process.geteuid?.() !== 0)
      return real.createContext({ helper: 'none', ...settings }, ...more);
    const user = vi.spyOn(process, 'geteuid').mockReturnValue(nobody_uid);
    try {
      return real.createContext({ helper: 'socket', ...settings }, ...more);
    } finally {
      user.mockRestore();
    }
  };
  return { ...real, createContext };
});
