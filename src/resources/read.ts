import { resourceDocument } from '../answer.ts';
import type { Call, Context } from '../context.ts';
import { thereIsNo } from '../did-you-mean.ts';
import { TracewrightError } from '../errors.ts';
import { isOfflineResource, offlineRefusal } from '../offline.ts';
import { refuseProcess, refuseResource } from '../policy/refusals.ts';
import { inTurn } from '../serialize.ts';
import type { Resource, ResourceText } from './define-resource.ts';
import { resources } from './index.ts';

/** The resource that a URI names, whatever its parameters, or undefined. */
export function findResource(uri: string): Resource | undefined {
  const [base = ''] = withoutTemplate(uri).split('?', 1);
  return resources.find((each) => pathValues(each.uri, base) !== null);
}

/** A template as it is listed, nothing put in for its parameters, means the resource without them. */
const withoutTemplate = (uri: string): string => uri.replace(/\{\?[\w,]*\}$/, '');

/** Values of the {names} in the path of a resource; null where the URI is not of its form. */
function pathValues(template: string, base: string): Record<string, string> | null {
  if (!template.includes('{')) return template === base ? {} : null;
  const wanted = template.split('/');
  const given = base.split('/');
  const values: Record<string, string> = {};
  const fits = wanted.every((part, index) => {
    const [, name] = /^\{(\w+)\}$/.exec(part) ?? [];
    const value = given[index] ?? '';
    if (name === undefined) return part === value;
    values[name] = value;
    return /^[\w.-]{1,100}$/.test(value);
  });
  return fits && wanted.length === given.length ? values : null;
}

/** Reads a resource by URI, parameters included. An unknown one is INVALID_PARAMS. */
export function readResource(uri: string, ctx: Context, call: Call): Promise<object> {
  return withResource(uri, ctx, call, async (resource, parameters) =>
    resourceDocument(await resource.read(parameters, ctx, call), ctx),
  );
}

/** The same as the text that clients get. */
export function readResourceText(uri: string, ctx: Context, call: Call): Promise<ResourceText> {
  return withResource(uri, ctx, call, async (resource, parameters) =>
    resource.text === null
      ? JSON.stringify(resourceDocument(await resource.read(parameters, ctx, call), ctx))
      : await resource.text(parameters, ctx, call),
  );
}

function withResource<T>(
  given: string,
  ctx: Context,
  call: Call,
  work: (resource: Resource, parameters: Readonly<Record<string, string>>) => Promise<T>,
): Promise<T> {
  const uri = withoutTemplate(given);
  const resource = findResource(uri);
  if (!resource) throw unknownResource(uri);
  if (ctx.settings.offline && !isOfflineResource(resource.uri)) throw offlineRefusal(resource.uri);
  refuseResource(ctx.policies, resource.uri);
  const [base = ''] = uri.split('?', 1);
  const path = pathValues(resource.uri, base) ?? {};
  const parameters = { ...parameterValues(resource.uri, uri.slice(base.length + 1)), ...path };
  const pid = Number(parameters['pid']);
  if (pid > 0) refuseProcess(ctx.policies, pid, ctx.usersOf);
  return inTurn(resource.queue, async () => {
    call.signal.throwIfAborted();
    return await work(resource, parameters);
  });
}

/** The URI template (RFC 6570) of a resource that takes parameters, or null. */
export function uriTemplate({ uri, parameters }: Resource): string | null {
  const query = parameters.filter((name) => !uri.includes(`{${name}}`));
  if (query.length > 0) return `${uri}{?${query.join(',')}}`;
  return uri.includes('{') ? uri : null;
}

function unknownResource(uri: string): TracewrightError {
  const uris = resources.map((each) => each.uri);
  const [base = ''] = uri.split('?', 1);
  return new TracewrightError(
    'INVALID_PARAMS',
    thereIsNo('resource', base, uris),
    `Choose from: ${uris.join(', ')}.`,
  );
}

function parameterValues(uri: string, query: string): Record<string, string> {
  const pairs = [...new URLSearchParams(query)];
  const names = pairs.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new TracewrightError(
      'INVALID_PARAMS',
      `${uri}: the parameter "${twice.slice(0, 40)}" stands twice.`,
      'Give each parameter once.',
    );
  }
  return Object.fromEntries(pairs);
}
