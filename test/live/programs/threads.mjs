// After half a second starts two threads that burn CPU, each in a function of its own name.
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

const spin = (name) => `
  function ${name}() { let sum = 0; for (let at = 0; at < 5e6; at++) sum += at % 7; return sum; }
  for (;;) ${name}();`;
await delay(500);
for (const name of ['spinone', 'spintwo']) new Worker(spin(name), { eval: true });
