// From the start of the process to the answer to `initialize`, against bare `node -e 0`.
// Budget: 2.5 x. Runs alternate, so that a noisy machine disturbs both alike.
import { spawn, spawnSync } from 'node:child_process';

const rounds = 15;
const request = `${JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'bench', version: '0' },
  },
})}\n`;

const bare = [];
const server = [];
for (let round = 0; round < rounds; round++) {
  bare.push(timed(() => spawnSync(process.execPath, ['-e', '0'])));
  server.push(await timedAnswer());
}
const [base, ours] = [median(bare), median(server)];
console.log(`bare node ${base.toFixed(1)} ms, initialize answered ${ours.toFixed(1)} ms`);
console.log(`ratio ${(ours / base).toFixed(2)} (budget 2.5)`);
process.exitCode = ours / base <= 2.5 ? 0 : 1;

function timed(work) {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function timedAnswer() {
  const start = performance.now();
  const child = spawn(process.execPath, ['dist/cli.js', 'mcp'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.stdin.write(request);
  return new Promise((resolve) => {
    child.stdout.once('data', () => {
      resolve(performance.now() - start);
      child.kill('SIGKILL');
    });
  });
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
