import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** The packaged server over HTTP, on a port of its own, with a state folder of its own. */
export async function startHttp(...args: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'tracewright-http-test-'));
  const words = ['dist/cli.js', 'mcp', '--http', '--port', '0', '--state-dir', folder, ...args];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  });
  let said = '';
  const url = await new Promise<string>((resolve, reject) => {
    const take = (chunk: Buffer): void => {
      said += chunk.toString();
      const [found] = /http:\S+\/mcp(?= and |\n)/.exec(said) ?? [];
      if (found !== undefined && said.includes('token is in')) resolve(found);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
  });
  const tokenFile = /token is in (.*)/.exec(said)?.[1] ?? '';
  const token = readFileSync(tokenFile, 'utf8').trim();
  return { child, pid: child.pid ?? 0, url, token, tokenFile, folder, exited, said: () => said };
}
