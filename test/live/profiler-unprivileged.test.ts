import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bundled } from '../bundled.ts';

const paranoid = Number(readFileSync('/proc/sys/kernel/perf_event_paranoid', 'utf8'));
const lacks = [
  existsSync('/usr/bin/perf') ? '' : 'perf',
  process.geteuid?.() === 0 ? '' : 'root, to become nobody',
  paranoid === 2 ? '' : 'kernel.perf_event_paranoid=2',
].filter((each) => each !== '');
const why = lacks.length === 0 ? '' : ` (needs ${lacks.join(' and ')})`;

test.skipIf(lacks.length > 0)(
  `a user profiles the user part of a process of their own and is told why not more${why}`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tracewright-user-'));
    try {
      const script = join(folder, 'profile-as-user.mjs');
      const bundle = join(folder, 'bundle.mjs');
      copyFileSync('test/live/programs/profile-as-user.mjs', script);
      await bundled(
        `export { createContext } from './src/context.ts';
        export { toTracewrightError } from './src/errors.ts';
        export { collectProfileResults } from './src/collectors/profile-results.ts';
        export { currentSession, startProfiling } from './src/collectors/profiler.ts';`,
        bundle,
      );
      chmodSync(folder, 0o755);
      for (const path of [script, bundle]) chmodSync(path, 0o644);
      const nobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];
      const text = execFileSync('/usr/bin/setpriv', [...nobody, process.execPath, script, bundle], {
        encoding: 'utf8',
        cwd: '/tmp',
      });
      const [own, roots, cpu] = JSON.parse(text);
      expect(own).toMatchObject({ status: 'Stopped', kernel_pct: null, user_pct: null });
      expect(own.total_samples).toBeGreaterThan(0);
      expect(own.symbols.some((row: { is_kernel: boolean }) => row.is_kernel)).toBe(false);
      expect(JSON.stringify(own.unavailable)).toContain('kernel.perf_event_paranoid=1');
      expect(roots).toMatchObject({ code: 'PERMISSION_DENIED' });
      expect(cpu).toMatchObject({
        code: 'PERMISSION_DENIED',
        suggestion: expect.stringContaining('sudo sysctl kernel.perf_event_paranoid=0'),
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
