import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Context, createContext } from '../context.ts';
import { errorBody, TracewrightError, toTracewrightError } from '../errors.ts';
import { endAllGroups } from '../exec/live-groups.ts';
import type { HelperSetting } from '../helper/privileged-runs.ts';
import { isOfflineWord, offlineRefusal } from '../offline.ts';
import type { Policies } from '../policy/policy.ts';
import { pythonSettings } from '../python-settings.ts';
import type { Selection } from '../selection.ts';
import { version } from '../version.ts';
import { auditFor, recorded } from './audit-for.ts';
import { foreignTo, options } from './options.ts';
import { print } from './output.ts';
import { policiesFor } from './policies-for.ts';
import type { Tell } from './progress.ts';
import { serve } from './serve.ts';
import type { HttpValues } from './serve-http.ts';

/** Runs the command line and gives the exit code: 0 done, 1 failed, 2 wrong usage. */
export async function main(argv: readonly string[]): Promise<number> {
  leaveNothingBehind();
  let json = argv.includes('--json');
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    json = values.json ?? false;
    if (values.version) return print(version);
    if (values.help || positionals[0] === 'help') return print(await helpOn(positionals));
    const [word = values.mcp || values['mcp-daemon'] ? 'mcp' : 'summary', ...rest] = positionals;
    await refuseUnused(word, rest, values);
    refuseOnline(word, values);
    const policies = await policiesFor([word, ...rest], values.policy, argv);
    const daemon = (values.daemon ?? false) || (values['mcp-daemon'] ?? false);
    const selection: Selection = {
      toolsets: list(values.toolsets),
      tools: list(values.tools),
      excludeTools: list(values['exclude-tools']),
      slim: values.slim,
      readOnly: values['read-only'] ?? false,
      offline: values.offline,
      policies,
    };
    const own_mode = await ownMode(word, rest[0], policies);
    if (own_mode !== null) return own_mode;
    const ctx = createContext({
      daemon,
      readOnly: selection.readOnly,
      offline: values.offline,
      policies,
      audit: await auditFor(word, policies, values),
      showArguments: values['show-arguments'],
      showAddresses: values['show-addresses'],
      statsSocketPath: values['stats-socket-path'],
      stateFolder: values['state-dir'],
      helper: helperSetting(values.helper),
      importRoots: importRoots(values['import-root'], word, rest[0]),
      python: pythonSettings(process.env, process.cwd(), {
        roots: values['python-root']?.map((path) => resolve(path)),
        asRoot: values['python-as-root'],
      }),
    });
    const own = await recorded(ctx, word, rest, () => ownOptions(word, rest, ctx, values, json));
    if (own !== null) return own;
    if (word === 'mcp') {
      await checkSelection(selection);
      await serveMcp(ctx, selection, values);
      return 0;
    }
    const { runCommand } = await import('./commands.ts');
    const { out, open } = values;
    const setting = { ctx, selection, json, output: { out, open } };
    const work = (tell: Tell): Promise<string> =>
      recorded(ctx, word, rest, () => runCommand(word, rest, { ...setting, tell }));
    return print(await atWork([word, ...rest].join(' '), {}, work));
  } catch (thrown) {
    return await fail(thrown, argv, json);
  } finally {
    endAllGroups();
  }
}

async function helpOn(words: readonly string[]): Promise<string> {
  const [first, ...rest] = words;
  const subject = first === 'help' ? rest : words;
  if (subject.length === 0) return (await import('./help.ts')).help();
  return (await import('./help-about.ts')).helpAbout(subject);
}

/** Refuses options and words that would do nothing. A plain `mcp` loads nothing for that. */
async function refuseUnused(
  word: string,
  words: readonly string[],
  values: Readonly<Record<string, unknown>>,
): Promise<void> {
  const [option] = foreignTo(word, values);
  if (option === undefined && words.length === 0) return;
  const { refuseOption, refuseWords } = await import('./usage.ts');
  if (option !== undefined) refuseOption(word, option, String(values[option]));
  refuseWords(word, words);
}

type Offline = Readonly<{ offline?: boolean; open?: boolean }>;

function refuseOnline(word: string, { offline, open }: Offline): void {
  if (!offline) return;
  if (!isOfflineWord(word)) throw offlineRefusal(`\`tracewright ${word}\``);
  if (open) throw offlineRefusal('its viewer');
}

/** HTTP is loaded where it is asked for: a client on stdio waits for its start. */
async function serveMcp(
  ctx: Context,
  selection: Selection,
  values: HttpValues & Readonly<{ http?: boolean; once?: boolean }>,
): Promise<void> {
  if (ctx.uid === 0 && !selection.readOnly && !selection.offline) setImmediate(putBackSettings);
  if (!values.http) return await serve(ctx, selection, values.once ?? false);
  const { serveOverHttp } = await import('./serve-http.ts');
  await serveOverHttp(ctx, selection, values);
}

/** What a process of ours was killed over. Nobody waits for it. */
async function putBackSettings(): Promise<void> {
  const { putBackAbandoned } = await import('../daemon/bpf-stats-marker.ts');
  try {
    putBackAbandoned();
  } catch (error) {
    console.error(`tracewright: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Whoever names a file on the command line allows its folder by that. */
function importRoots(
  given: readonly string[] | undefined,
  word: string,
  file: string | undefined,
): readonly string[] | undefined {
  if (word !== 'profile' || file === undefined) return given?.map((path) => resolve(path));
  return [...(given ?? []), dirname(file)].map((path) => resolve(path));
}

/** Commands with options that no other has; null where it is none of them. */
async function ownOptions(
  word: string,
  words: readonly string[],
  ctx: Context,
  values: Readonly<Record<string, unknown>>,
  json: boolean,
): Promise<number | null> {
  if (word === 'config') {
    const { config } = await import('./config/config.ts');
    return print(await config(words, values, json));
  }
  if (word === 'watch') {
    const { watch } = await import('./watch.ts');
    return await watch(ctx, values, json);
  }
  if (word === 'record') {
    const { record } = await import('./record.ts');
    return print(await atWork(word, values, (tell) => record(ctx, values, json, tell)));
  }
  if (word === 'report') {
    const { report } = await import('./report.ts');
    return print(await atWork(word, values, (tell) => report(ctx, values, json, tell)));
  }
  if (word === 'audit') {
    const { showAudit } = await import('./audit.ts');
    return print(showAudit(ctx, values, json));
  }
  const [file] = words;
  if (word === 'policy' && file !== undefined) {
    const { checkPolicy } = await import('./policy.ts');
    return print(await checkPolicy(resolve(file), json));
  }
  return null;
}

/** Shows a person at a terminal that a long command goes on. */
async function atWork(
  words: string,
  values: Readonly<Record<string, unknown>>,
  work: (tell: Tell) => Promise<string>,
): Promise<string> {
  const { expectedSeconds, withProgress } = await import('./progress.ts');
  const label = words.split(' ').slice(0, 2).join(' ');
  return await withProgress(process.stderr, label, expectedSeconds(words, values['seconds']), work);
}

/** A wrong name fails the start, not the first request; without names nothing is loaded for it. */
async function checkSelection(selection: Selection): Promise<void> {
  const { toolsets, tools, excludeTools } = selection;
  if (!toolsets && !tools && !excludeTools) return;
  const { selectTools } = await import('../selection.ts');
  selectTools(selection);
}

/** What this program does for another process of itself; null where it is not asked to. */
async function ownMode(
  word: string,
  window: string | undefined,
  policies: Policies,
): Promise<number | null> {
  if (word === 'helper') {
    setImmediate(putBackSettings);
    const { runHelper } = await import('../helper/run-helper.ts');
    const audit = await auditFor(word, policies, {});
    return await runHelper(policies, audit, process.env);
  }
  if (word !== 'internal-bpf-stats') return null;
  const { bpfStatsWindow } = await import('../daemon/bpf-stats-window.ts');
  await bpfStatsWindow(helperWindow(window));
  return 0;
}

function helperSetting(value: string | undefined): HelperSetting | undefined {
  const known = (['auto', 'sudo', 'socket', 'none'] as const).find((each) => each === value);
  if (known !== undefined || value === undefined) return known;
  throw new TracewrightError(
    'INVALID_PARAMS',
    `There is no helper "${value}".`,
    'Choose from: --helper auto, sudo, socket, none.',
  );
}

/** The word is ours alone; whoever types it gets the bounds that the allowlist has. */
function helperWindow(word = ''): number {
  const ms = /^\d{3,5}$/.test(word) ? Number(word) : 0;
  if (ms >= 100 && ms <= 60_000) return ms;
  throw new TracewrightError(
    'INVALID_PARAMS',
    'A window is 100 to 60000 ms.',
    'tracewright --help',
  );
}

const list = (value: string | undefined): string[] | undefined =>
  value?.split(',').map((each) => each.trim());

async function fail(thrown: unknown, argv: readonly string[], json: boolean): Promise<number> {
  const { optionError } = await import('./usage.ts');
  const error = optionError(thrown, argv) ?? toTracewrightError(thrown);
  if (json) print(JSON.stringify(errorBody(error)));
  else {
    const { atShell } = await import('./at-shell.ts');
    const fix = argv.includes('mcp') ? error.suggestion : atShell(error.suggestion, argv);
    console.error(`tracewright: ${error.message}\n${fix}`);
  }
  return error.code === 'INVALID_PARAMS' ? 2 : 1;
}

/** Children die with us, whichever way we go. */
function leaveNothingBehind(): void {
  process.on('exit', endAllGroups);
  // Ctrl-\ too: whoever has the terminal of a sudo could end a helper before its audit is written.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) {
    process.once(signal, () => {
      endAllGroups();
      process.exit(signal === 'SIGINT' ? 130 : 143);
    });
  }
}
