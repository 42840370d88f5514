import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { traceKernelFunctions } from '../../src/collectors/function-trace.ts';
import { kernelFunctions } from '../../src/collectors/kernel-functions.ts';
import { createContext } from '../../src/context.ts';
import { toTracewrightError } from '../../src/errors.ts';
import { call } from '../fake-host.ts';

const ctx = createContext({ daemon: false, readOnly: false });
const canTrace = existsSync('/usr/bin/bpftrace') && process.geteuid?.() === 0;
const listing = canTrace ? await kernelFunctions(ctx, call) : null;
const neither = listing?.kprobes_available === false && listing.fentry_available === false;

test.skipIf(!neither)(
  'a kernel that takes neither kprobes nor fentry is told at once, with both reasons (needs root, bpftrace and such a kernel; the others are traced in the lab)',
  async () => {
    const started_ms = performance.now();
    const query = { functions: ['vfs_read'], mode: 'count', duration_s: 5 } as const;
    const thrown = await traceKernelFunctions(ctx, query, call).catch((error: unknown) => error);
    const { code, message } = toTracewrightError(thrown);
    expect(code).toBe('FEATURE_UNAVAILABLE');
    expect(message).toContain('kprobes');
    expect(message).toContain('tracing');
    expect(performance.now() - started_ms).toBeLessThan(3000);
  },
);
