// Asks questions as a client does: provokes what each is about, makes the calls that answer it, checks
// the answer, and prints how many calls and tokens it took. `npm run eval -- WORD` asks those with the
// word. For a test machine: root, bpftrace, perf, python3 with Scalene; it loads CPUs and a disk.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { questions } from './questions.mjs';
import { provoke } from './situations.mjs';

const room = mkdtempSync(join(existsSync('/var/tmp') ? '/var/tmp' : tmpdir(), 'tracewright-eval-'));
const bundle = new URL('../../dist/cli.js', import.meta.url).pathname;
const args = [bundle, 'mcp', '--daemon', '--state-dir', join(room, 'state')];
const client = new Client(
  { name: 'eval', version: '1' },
  { versionNegotiation: { mode: 'legacy' } },
);
await client.connect(new StdioClientTransport({ command: process.execPath, args, stderr: 'pipe' }));

const patience = { timeout: 120_000 };
/** Each way to ask, as the text that comes back and what a check sees of it. */
const ways = {
  async call(name, given = {}) {
    const { content, isError } = await client.callTool({ name, arguments: given }, patience);
    const [{ text }] = content;
    if (isError) throw new Error(`${name}: ${JSON.parse(text).error.message}`);
    return { text, seen: JSON.parse(text) };
  },
  async read(uri) {
    const { contents } = await client.readResource({ uri }, patience);
    return { text: contents[0].text, seen: JSON.parse(contents[0].text) };
  },
  async prompt(name, given = {}) {
    const { messages } = await client.getPrompt({ name, arguments: given }, patience);
    const text = messages.map(({ content }) => content.text).join('\n');
    return { text, seen: text };
  },
};

async function ask({ asked, on, calls, see }) {
  const { about, end } = await provoke(on, room);
  const answers = [];
  let bytes = 0;
  let right = false;
  let said = '';
  try {
    for (const step of calls(about)) {
      const [way, ...rest] = typeof step === 'function' ? step(answers) : step;
      if (way === 'wait') {
        await delay(rest[0]);
        continue;
      }
      const { text, seen } = await ways[way](...rest);
      answers.push(seen);
      bytes += JSON.stringify(rest).length + Buffer.byteLength(text);
    }
    right = Boolean(see(answers, about));
    if (!right) said = JSON.stringify(answers.at(-1)?.summary ?? '').slice(0, 300);
  } catch (error) {
    said = String(error.message).slice(0, 300);
  } finally {
    await end();
  }
  return { asked, right, calls: answers.length, tokens: Math.round(bytes / 4), said };
}

const only = process.argv.slice(2).join(' ').toLowerCase();
const wanted = questions.filter(({ asked, on }) => `${asked} ${on}`.toLowerCase().includes(only));
const rows = [];
try {
  for (const question of wanted) {
    const row = await ask(question);
    rows.push(row);
    const { asked, right, calls, tokens, said } = row;
    const mark = right ? 'ok  ' : 'MISS';
    console.log(
      `${mark} ${String(calls).padStart(2)} calls ${String(tokens).padStart(6)} tokens  ${asked} ${said}`,
    );
  }
} finally {
  await client.close();
  rmSync(room, { recursive: true, force: true });
}
const sum = (name) => rows.reduce((total, row) => total + row[name], 0);
const right = rows.filter((row) => row.right).length;
console.log(
  `${right} of ${rows.length} questions answered: ${sum('calls')} calls, ${sum('tokens')} tokens.`,
);
process.exitCode = right === rows.length ? 0 : 1;
