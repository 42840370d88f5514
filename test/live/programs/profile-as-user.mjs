// Run by a user without rights: profiles a process of its own, one of root, and a whole CPU, with
// the bundle whose path is its argument.
import { spawn } from 'node:child_process';
import { pathToFileURL } from 'node:url';

const bundle = await import(pathToFileURL(process.argv[2]).href);
const { collectProfileResults, createContext, currentSession, startProfiling, toTracewrightError } =
  bundle;
const ctx = createContext({ daemon: false, readOnly: false, helper: 'none' });
const call = { signal: new AbortController().signal, progress: () => {} };
const query = { limit: 5, offset: 0, include_stacks: false, sort: 'self' };
const busy = spawn('/bin/dd', ['if=/dev/zero', 'of=/dev/null', 'bs=1'], { stdio: 'ignore' });

const answers = [];
for (const target of [
  { pid: busy.pid, cpu: -1 },
  { pid: 1, cpu: -1 },
  { pid: -1, cpu: 0 },
]) {
  const config = { event: 'hw:cpu-clock', freq: 199, max_samples: 0, duration_secs: 1, ...target };
  try {
    await startProfiling(ctx, config, call);
    await currentSession(ctx).done;
    const { data, unavailable } = await collectProfileResults(ctx, query, call);
    answers.push({ ...data, unavailable });
  } catch (thrown) {
    const { code, suggestion } = toTracewrightError(thrown);
    answers.push({ code, suggestion });
  }
}
busy.kill();
console.log(JSON.stringify(answers));
process.exit(0);
