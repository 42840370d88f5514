// Prints what a scheduler answers to the last of some lines, a second apart, for recordings:
//   node test/scx-stats/ask.mjs /var/run/scx/root/stats '{"req":"stats"}' '{"req":"stats"}'
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

const [path, ...lines] = process.argv.slice(2);
const socket = connect(path);
const answers = createInterface({ input: socket })[Symbol.asyncIterator]();
let answer = '';
for (const [index, line] of lines.entries()) {
  if (index > 0) await delay(1000);
  socket.write(`${line}\n`);
  answer = (await answers.next()).value;
}
console.log(answer);
socket.end();
