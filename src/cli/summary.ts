import { missingPrograms } from '../collectors/program-versions.ts';
import type { Call, Context } from '../context.ts';
import { ownBundle } from '../paths.ts';
import { glimpses, missingIn, overWindow } from '../prompts/snapshot.ts';
import { summaryUris } from '../prompts/summarize-system.ts';

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
      ...(fix === null ? [] : [`    fix: ${fix}`]),
    ]),
    '',
    ...howToConnect(ctx),
  ].join('\n');
}

/** Words as a shell takes them. */
const quoted = (words: readonly string[]): string =>
  words.map((word) => (/\s/.test(word) ? `'${word}'` : word)).join(' ');

function clientEntry(ctx: Context) {
  const node = process.execPath;
  const args = [ownBundle(), 'mcp', '--daemon'];
  return ctx.uid === 0 ? { command: 'sudo', args: [node, ...args] } : { command: node, args };
}

function howToConnect(ctx: Context): string[] {
  const entry = clientEntry(ctx);
  return [
    'Connect a client',
    `  Claude Code:  claude mcp add tracewright -- ${quoted([entry.command, ...entry.args])}`,
    '  Claude Desktop, Cursor, Windsurf (VS Code: "servers" instead of "mcpServers"):',
    ...JSON.stringify({ mcpServers: { tracewright: entry } }, null, 2)
      .split('\n')
      .map((line) => `    ${line}`),
    '  Then ask: "Summarize this machine" or "Why is it slow?"',
    `  What works here and how to get the rest: ${quoted([process.execPath, ownBundle(), 'doctor'])}`,
  ];
}
