import { approve } from '../../allowlist/command.ts';
import { start } from '../../src/exec/start.ts';

/** A process that starts what its arguments say, prints the pid and waits: the tests kill it. */
const [file = '', signal = 'KILL', mounts = 'shared'] = process.argv.slice(2);
const running = await start(
  approve({
    program: { name: 'test', candidates: [file], packages: { apt: '', dnf: '' } },
    args: [],
    limits: { duration_ms: 60_000, output_bytes: 1000 },
    parentDeathSignal: signal === 'TERM' ? 'TERM' : 'KILL',
    privateMounts: mounts === 'private',
  }),
  { onStdout: (text) => process.stdout.write(text) },
);
console.log(`pid ${running.pid}`);
await running.finished;
