import { ParseError } from '../parsed.ts';
import { untrusted } from '../untrusted.ts';
import { isObject, type Json, parseExactJson } from './exact-json.ts';

/** What a scheduler answered to one request. */
export type ScxStats = Readonly<
  | {
      ok: true;
      resp: Json;
      /** Paths inside `resp` of integers that stand as decimal text, because a double loses bits. */
      exact: readonly string[];
    }
  | { ok: false; errno: number; message: string; causes: readonly string[] }
>;

/**
 * One line that a server of the crate scx_stats writes (1.1.4; the protocol has no version):
 *
 *     {"errno":0,"args":{"resp":{"nr_enqueued":614,"dsq_id":9223372036854775810}}}
 *     {"errno":22,"args":{"resp":"Invalid argument (os error 22)\n\nCaused by:\n    unknown command \"bogus\""}}
 *
 * `errno` is 0 or positive, in practice always 22; then `resp` is a chain of errors as Rust's
 * anyhow prints it, with a stack backtrace where the scheduler runs with RUST_BACKTRACE. Units are
 * the scheduler's own. A float that is not a number or infinite arrives as null. ParseError for
 * whatever has another shape: something else listens on that socket.
 */
export function parseScxStats(line: string): ScxStats {
  const { value, exact } = parseExactJson(line);
  const args = isObject(value) ? value['args'] : undefined;
  const errno = isObject(value) ? value['errno'] : undefined;
  if (typeof errno !== 'number' || !Number.isInteger(errno) || !isObject(args)) {
    throw new ParseError('not an answer of scx_stats: {"errno":…,"args":{"resp":…}} is expected');
  }
  const { resp } = args;
  if (resp === undefined) throw new ParseError('an answer of scx_stats without args.resp');
  if (errno !== 0) return { ok: false, errno, ...errorChain(line) };
  const prefix = 'args.resp.';
  const inside = exact.map((path) => (path.startsWith(prefix) ? path.slice(prefix.length) : ''));
  return { ok: true, resp, exact: inside };
}

/** The chain needs its line breaks, which printable text does not have. */
function errorChain(line: string): Readonly<{ message: string; causes: readonly string[] }> {
  const { value } = parseExactJson(line, (text) => text);
  const args = isObject(value) ? value['args'] : undefined;
  const resp = isObject(args) ? args['resp'] : undefined;
  const text = typeof resp === 'string' ? resp : JSON.stringify(resp);
  const [chain = ''] = text.split(/^Stack backtrace:$/m, 1);
  const [message = '', ...rest] = chain.split('\n');
  const from = rest.indexOf('Caused by:');
  const causes = from < 0 ? [] : rest.slice(from + 1);
  return {
    message: untrusted(message),
    // Several causes are numbered: "    0: ...".
    causes: causes.map((cause) => untrusted(cause.replace(/^\s*(?:\d+: )?/, ''))).filter(Boolean),
  };
}
