import type { Call, Context } from '../context.ts';
import { type Diagnosis, diagnose } from '../doctor.ts';
import type { Check } from '../tool-checks.ts';
import { renderTable } from './table.ts';
import { ownStyle, type Style, widthOf } from './terminal.ts';

/** `tracewright doctor`: what works here, what does not, and the command that fixes it. */
export async function doctor(ctx: Context, call: Call, json: boolean): Promise<string> {
  const diagnosis = await diagnose(ctx, call);
  return json ? JSON.stringify(diagnosis) : render(diagnosis);
}

function render({
  tracewright,
  node,
  policy,
  audit,
  rights,
  programs,
  kernel,
  resources,
  tools,
}: Diagnosis): string {
  const style = ownStyle();
  const told: Told = new Map();
  return [
    `tracewright ${tracewright}, Node.js ${node}`,
    `Audit: ${audit ?? 'nothing is recorded (--audit file)'}`,
    ...(policy.length === 0 ? [] : ['', style.head('Policy'), ...policy.map(indent)]),
    '',
    style.head('Rights'),
    `  ${asWhom(rights)}`,
    ...rights.problems.flatMap(renderProblem),
    '',
    style.head('Programs'),
    ...renderTable(
      programs.map(({ name, version, path, problem }) => ({
        name,
        version: version ?? problem ?? 'unknown',
        path: path ?? '',
      })),
      widthOf(process.stdout) - 2,
      style,
    ).map(indent),
    ...programs.flatMap(({ fix }) => (fix === null ? [] : [`    fix: ${fix}`])),
    '',
    style.head('Kernel'),
    ...Object.entries(kernel).flatMap(([name, { value, reason, fix }]) => [
      `  ${name}: ${value ?? 'not available'}${reason === null ? '' : ` (${reason})`}`,
      ...(fix === null ? [] : [`    fix: ${fix}`]),
    ]),
    '',
    style.head('Resources'),
    ...resources.flatMap((each) => renderCheck(each, style, told)),
    '',
    style.head('Tools'),
    ...tools.flatMap((each) => renderCheck(each, style, told)),
  ].join('\n');
}

function asWhom({ runs_as, helper }: Diagnosis['rights']): string {
  if (runs_as === 'root') return 'runs as root';
  const way = helper === 'sudo' ? 'through sudo' : 'through its socket';
  return helper === null
    ? 'runs as a user, without a helper'
    : `runs as a user, with a helper ${way}`;
}

const renderProblem = ({
  what,
  reason,
  fix,
}: Diagnosis['rights']['problems'][number]): string[] => [
  `  ${what}: ${reason}`,
  ...(fix === null ? [] : [`    fix: ${fix}`]),
];

/** Whose problems were told already, by their text. */
type Told = Map<string, string>;

function renderCheck(
  { name, state, source, problems }: Check,
  style: Style,
  told: Told,
): readonly string[] {
  const paint = { available: style.good, degraded: style.poor, unavailable: style.bad }[state];
  const lines = problems.flatMap(({ what, reason, fix }) => [
    `    ${what === name ? '' : `${what}: `}${reason}`,
    ...(fix === null ? [] : [`      fix: ${fix}`]),
  ]);
  const text = lines.join('\n');
  const before = told.get(text);
  if (before === undefined) told.set(text, name);
  return [
    `  ${paint(state.padEnd(11))}  ${name}${source === null ? '' : `  from ${source}`}`,
    ...(before !== undefined && text.length > most_repeated ? [`    as ${before}`] : lines),
  ];
}

/** A reason and its fix may stand twice: the way to it is no shorter. */
const most_repeated = 100;

const indent = (line: string): string => `  ${line}`;
