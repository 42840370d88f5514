import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A program that is talked to line by line. */
export type Conversation = Readonly<{
  say(line: string): void;
  /** The next line; null when the program has ended or the time is over. */
  next(): Promise<string | null>;
  /** Ends it, and says how it ended and what it wrote on stderr. */
  end(): Promise<Readonly<{ exit_code: number | null; stderr: string; problem: string | null }>>;
}>;

const stderr_cap = 4000;
const grace_ms = 2000;

/**
 * Starts the server of somebody's MCP client as that client would: with the environment and the rights of
 * whoever calls. It is the one command that does not come from the allowlist; only a person at a shell
 * starts it, never a request.
 */
export function converse(
  command: string,
  args: readonly string[],
  limit_ms: number,
  environment: Readonly<Record<string, string | undefined>>,
): Conversation {
  const child = spawn(command, args, {
    shell: false,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: environment,
  });
  let stderr = '';
  let problem: string | null = null;
  const over = AbortSignal.timeout(limit_ms);
  const kill = (): void => killGroup(child.pid);
  over.addEventListener('abort', kill, { once: true });
  const ended = new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      problem = error.message;
      resolve(null);
    });
    child.once('close', resolve);
  });
  child.stdin.on('error', () => {});
  child.stderr.on('data', (bytes: Buffer) => {
    stderr = (stderr + bytes.toString()).slice(0, stderr_cap);
  });
  const reader = createInterface({ input: child.stdout });
  const lines = reader[Symbol.asyncIterator]();
  // Where nothing was started, no end of its output is told.
  child.once('error', () => reader.close());
  return {
    say: (line) => void child.stdin.write(`${line}\n`),
    async next() {
      const { value, done } = await lines.next();
      return done ? null : String(value);
    },
    async end() {
      child.stdin.end();
      const late = setTimeout(kill, grace_ms);
      const exit_code = await ended;
      clearTimeout(late);
      over.removeEventListener('abort', kill);
      return {
        exit_code,
        stderr,
        problem: over.aborted ? `no answer in ${limit_ms / 1000} s` : problem,
      };
    },
  };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
