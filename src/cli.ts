import './require-node.ts';
import { basename } from 'node:path';
import { main } from './cli/main.ts';

const [, started = '', ...words] = process.argv;
// An installation has a link of this name beside that of the program.
const mode = basename(started) === 'tracewright-helper' ? ['helper'] : [];
void main([...mode, ...words]).then((code) => {
  process.exitCode = code;
});
