import { missingPrograms } from '../collectors/program-versions.ts';
import type { Call, Context } from '../context.ts';
import { ownBundle } from '../paths.ts';
import { glimpses, missingIn, overWindow } from '../prompts/snapshot.ts';
import { summaryUris } from '../prompts/summarize-system.ts';
import { atShell } from './at-shell.ts';
import { clients } from './config/clients.ts';
import { type Entry, entryOf, shellWords, snippet, wayOf } from './config/entry.ts';

/** What this machine is and does, from the data of the summarize_system workflow. */
export async function summary(ctx: Context, call: Call, json: boolean): Promise<string> {
  const all = await glimpses(summaryUris, ctx, call);
  if (json) {
    const unavailable = missingPrograms(ctx);
    return JSON.stringify({
      host: ctx.host,
      glimpses: all,
      unavailable,
      connect: clientEntry(ctx),
    });
  }
  const missing = [...missingPrograms(ctx), ...missingIn(all)];
  return [
    `${ctx.host}, ${ctx.now().toISOString()}`,
    ...all.flatMap((each) =>
      each.lines.length === 0
        ? []
        : ['', `${each.uri}${overWindow(each)}`, ...each.lines.map((line) => `  ${line}`)],
    ),
    ...(missing.length === 0 ? [] : ['', 'Not available here']),
    ...missing.flatMap(({ what, reason, fix }) => [
      `  ${what}: ${reason}`,
      ...(fix === null ? [] : [`    fix: ${atShell(fix)}`]),
    ]),
    '',
    ...howToConnect(ctx),
  ].join('\n');
}

function clientEntry(ctx: Context): Entry {
  const isRoot = ctx.uid === 0;
  return entryOf(wayOf(undefined, undefined, isRoot), isRoot);
}

function howToConnect(ctx: Context): string[] {
  const own = shellWords([process.execPath, ownBundle()]);
  const [generic] = clients.filter(({ name }) => name === 'generic');
  const entry = generic ? snippet(generic, clientEntry(ctx)).split('\n') : [];
  return [
    'Connect a client',
    ...entry.map((line) => `    ${line}`),
    `  For yours: ${own} config CLIENT --write    (or without --write, to see it)`,
    `    CLIENT: ${clients.map(({ name }) => name).join(', ')}`,
    '  Then ask: "Summarize this machine" or "Why is it slow?"',
    `  What works here and how to get the rest: ${own} doctor`,
  ];
}
