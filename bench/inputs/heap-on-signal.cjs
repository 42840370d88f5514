// Loaded into a server that is measured: on SIGUSR2 it collects garbage and says in a file of its
// state folder how much is in use after that.
const { renameSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const folder = process.argv[process.argv.indexOf('--state-dir') + 1];
process.on('SIGUSR2', () => {
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  writeFileSync(join(folder, 'heap.part'), String((heapUsed + external) / 1e6));
  renameSync(join(folder, 'heap.part'), join(folder, 'heap'));
});
