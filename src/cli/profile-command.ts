import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as z from 'zod/v4';
import type { Envelope } from '../answer.ts';
import { type Capture, loadCapture, saveView } from '../collectors/profile-captures.ts';
import { type FileView, viewFile } from '../collectors/profile-view-files.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import { openViewer } from '../exec/open-viewer.ts';
import { surface } from '../surface.ts';
import { checkArguments } from '../tools/define-tool.ts';
import { foldedArguments } from '../tools/host/profile-view.ts';
import { keyValues } from './arguments.ts';
import { outFile, writeOut } from './out-file.ts';

export type ProfileOutput = Readonly<{ out: string | undefined; open: boolean | undefined }>;

const by_extension: readonly (readonly [string, FileView])[] = [
  ['.svg', 'flamegraph.svg'],
  ['.html', 'flamegraph.html'],
  ['.png', 'flamegraph.png'],
  ['.folded', 'folded.txt'],
  ['.txt', 'folded.txt'],
  ['.json', 'speedscope.json'],
  ['.pb.gz', 'profile.pb.gz'],
  ['.pftrace', 'profile.pftrace'],
];
const foldedWish = z.strictObject(foldedArguments);
const largest_bytes = 5_000_000;

/** Tools that make a profile, and the one that looks at what was kept or recorded elsewhere. */
const sources: Readonly<Record<string, string>> = {
  cpu: 'perf_cpu_profile',
  offcpu: 'perf_offcpu_profile',
};

/**
 * `profile [cpu|offcpu|FILE|CAPTURE] key=value … [--out FILE] [--open]`: profiles this host or takes what
 * there is, writes it in the format that the file's name says, and shows it.
 */
export async function profileCommand(
  words: readonly string[],
  { out, open }: ProfileOutput,
  ctx: Context,
  call: Call,
): Promise<object> {
  const { source, args } = sourceOf(words);
  const target = out === undefined ? null : targetOf(out, args['other'] !== undefined);
  const { other, ids, marks, ...rest } = args;
  const folded = checkArguments('profile', foldedWish, { ids, marks });
  const before = typeof other === 'string' ? loadCapture(ctx, other) : null;
  const answer = await ask(source, rest, ctx, call);
  if (target === null && !open) return answer;
  const id = 'capture_id' in answer.data ? answer.data.capture_id : null;
  if (typeof id !== 'string') {
    throw nothingToWrite(answer, args['pid']);
  }
  const capture = loadCapture(ctx, id);
  if (target) {
    const content = viewFile(capture, target.view, largest_bytes, before, folded);
    writeOut(target.file, () => writeFileSync(target.file, content));
  }
  const shown = open ? show(ctx, capture, id, target?.file ?? null) : [];
  const written = target === null ? [] : [`Written: ${target.file}`];
  return { ...answer, summary: [...answer.summary, ...written, ...shown] };
}

function nothingToWrite(
  { data, summary, warnings = [] }: Envelope,
  pid: unknown,
): TracewrightError {
  return new TracewrightError(
    'EXECUTION_FAILED',
    `There is no profile to be written: ${[...summary, ...warnings].join(' ')}`,
    'total_samples' in data && data.total_samples === 0 ? ofWhatWaits(pid) : whyNone(warnings),
  );
}

/** A profile of CPUs has nothing of what does not run. */
const ofWhatWaits = (pid: unknown): string =>
  `Profile for longer, or where it waits: tracewright profile offcpu${pid === undefined ? '' : ` pid=${pid}`}`;

const whyNone = (warnings: readonly string[]): string =>
  warnings.some((each) => each.includes('is not kept'))
    ? 'Name a folder of your own where profiles are kept: --state-dir DIR'
    : 'See what works here and how to get the rest to work: tracewright doctor';

/** Words without "=" come first; the rest are arguments of the tool. */
function sourceOf(words: readonly string[]) {
  const [first = 'cpu'] = words;
  const named = words.length > 0 && (!first.includes('=') || first.startsWith('/'));
  const source = named ? first : 'cpu';
  refusePrograms(words.slice(1));
  const tool = surface
    .tools({ readOnly: false })
    .find(({ name }) => name === (sources[source] ?? 'profile_view'));
  const schema = tool ? Object(surface.contractOf(tool).inputSchema['properties']) : {};
  const typed = { ...schema, marks: { type: 'array' } };
  return { source, args: keyValues(named ? words.slice(1) : words, typed) };
}

/** Whoever knows `perf record -- PROGRAM` tries the same here. */
function refusePrograms(words: readonly string[]): void {
  const stray = words.find((word) => !word.includes('='));
  if (stray === undefined) return;
  const script = words.find((word) => word.endsWith('.py')) ?? 'FILE';
  throw new TracewrightError(
    'INVALID_PARAMS',
    `profile starts no program, and "${stray.slice(0, 80)}" is not of the form key=value.`,
    `Of one that runs: tracewright profile pid=PID. Of a Python program: tracewright call profile_script script_path=${script}`,
  );
}

function ask(source: string, args: Readonly<Record<string, unknown>>, ctx: Context, call: Call) {
  const name = sources[source] ?? 'profile_view';
  const [tool] = surface.tools({ readOnly: ctx.settings.readOnly, tools: [name] });
  if (!tool) {
    throw new TracewrightError(
      'NOT_ALLOWED',
      'With --read-only nothing is recorded.',
      'Leave out --read-only, or name a file.',
    );
  }
  const isPath = !Object.hasOwn(sources, source) && !/^profile_[0-9a-z]+$/.test(source);
  const capture = isPath ? resolve(source) : source;
  return surface.callTool(tool, name === 'profile_view' ? { ...args, capture } : args, ctx, call);
}

const targetOf = (out: string, isDiff: boolean) => ({
  view: viewOf(out, isDiff),
  file: outFile(out),
});

function viewOf(out: string, isDiff: boolean): FileView {
  const [, view] = by_extension.find(([extension]) => out.endsWith(extension)) ?? [];
  if (view === 'flamegraph.svg' && isDiff) return 'diff.svg';
  if (view === 'flamegraph.html' && isDiff) return 'diff.html';
  if (view === 'flamegraph.png' && isDiff) return 'diff.png';
  if (view) return view;
  throw new TracewrightError(
    'INVALID_PARAMS',
    `The name ${out.slice(0, 200)} does not tell the format.`,
    `It ends with one of: ${by_extension.map(([extension]) => extension).join(' ')}`,
  );
}

/** What was written where a browser can show it, else the flame graph as a page. */
function show(ctx: Context, capture: Capture, id: string, file: string | null): readonly string[] {
  const usual = 'flamegraph.html';
  const shown =
    file !== null && /\.(?:svg|html|png)$/.test(file)
      ? file
      : saveView(ctx, id, usual, viewFile(capture, usual, largest_bytes, null));
  const obstacle = openViewer(shown, process.env);
  return obstacle === null
    ? [`Opened: ${shown}`]
    : [`Open it in a browser (${obstacle}): ${shown}`];
}
