import { parseArgs } from 'node:util';
import { parseTopology, topologyHelp } from './topology.mjs';

export const help = `npm run lab -- [options]

Boots a virtual machine with a sched_ext kernel, installs the packed tarball there and runs the
tests of test/lab/guest under real schedulers. The first run fetches about 250 MB and builds the
image in ~/.cache/tracewright-lab ($XDG_CACHE_HOME is respected). Where cargo and clang are at hand it
also builds two schedulers of the scx project from their crates, which takes some minutes.

  --kernel VERSION     newest Debian kernel whose version begins so: 6.18 (default), 7, 7.2
  --topology LIST      ${topologyHelp}, e.g. sockets=2,cores=2,numa=2
  --route ROUTE        who runs the server: root (default), or an ordinary user with a helper by way of
                       sudo or systemd, installed as \`tracewright setup\` prints it
  --only PATTERN       only tests whose name matches; without it, up to three tests that fail are
                       run once more in a new machine
  --script FILE        run this bash script in the guest instead of the tests
  --bench              measure what the queue statistics cost, instead of the tests: round trips
                       between two tasks per second with and without them
  --shell              a shell in the guest instead of the tests; "exit" powers it off
  --seconds N          give up after so long (1500; a shell: 86400)
  --results FOLDER     copy what the guest left in /results there
  --coverage           leave the coverage of the product (V8's JSON) in the results too
  --keep               keep the working folder with console.txt and report.jsonl

Exit status: that of the tests; 1 when the machine failed; 3 when this host cannot run it.`;

const routes = ['root', 'sudo', 'systemd'];

export function readOptions(argv) {
  const { values } = parseArgs({
    args: argv,
    options: {
      kernel: { type: 'string', default: '6.18' },
      topology: { type: 'string', default: 'cores=2' },
      route: { type: 'string', default: 'root' },
      only: { type: 'string', default: '' },
      script: { type: 'string' },
      bench: { type: 'boolean', default: false },
      shell: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      results: { type: 'string' },
      coverage: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (!/^\d+(\.\d+){0,2}$/.test(values.kernel))
    throw new Error('--kernel takes 6.18, 7 or the like');
  if (!routes.includes(values.route)) throw new Error(`--route takes ${routes.join(', ')}`);
  const seconds = Number(values.seconds ?? (values.shell ? 86_400 : 1500));
  if (!(seconds > 0)) throw new Error('--seconds takes a number');
  return { ...values, seconds, mode: modeOf(values), topology: parseTopology(values.topology) };
}

function modeOf({ shell, script, bench }) {
  if (shell) return 'shell';
  if (script) return 'script';
  return bench ? 'bench' : 'tests';
}
