import { dirname, join, relative } from 'node:path';
import { transform } from 'esbuild';

const mark = '//#part ';
/** The end of a comment, as it is written within one. */
const hiddenEnd = '*\\\\/';

/**
 * The chunks of a build with `splitting` as the text of one program. Those that the entry imports are
 * functions; those that are imported on demand stand in a comment behind them until they are needed.
 * V8 passes over a comment as fast as it reads it, but looks into every function: as functions, what
 * no client has asked for yet was a fifth of the time to the first answer.
 */
export async function oneFile({ outputFiles, metafile }, entry) {
  const nameOf = (path) => `./${relative(dirname(entry), path)}`;
  const early = staticallyImported(metafile.outputs, entry);
  const functions = [];
  const comments = [];
  for (const path of Object.keys(metafile.outputs)) {
    const { text } = outputFiles.find((each) => each.path === join(process.cwd(), path));
    const body = await functionBody(text);
    if (early.has(path)) {
      const parameters = 'require, module, exports, meta';
      functions.push(`${JSON.stringify(nameOf(path))}: (function (${parameters}) {${body}\n})`);
    } else {
      comments.push(`\n${mark}${nameOf(path)}\n${hidden(body)}`);
    }
  }
  return [
    '#!/usr/bin/env node',
    "import { createRequire } from 'node:module';",
    "import { readFileSync } from 'node:fs';",
    // Read as it starts: a moment later an update may have replaced it.
    "const text = readFileSync(new URL(import.meta.url), 'latin1');",
    `const early = {${functions.join(',\n')}};`,
    `const forms = ${JSON.stringify({ mark, hiddenEnd })};`,
    `(${start})(${JSON.stringify(nameOf(entry))}, early, text, forms, import.meta, createRequire(import.meta.url));`,
    `/*${comments.join('')}\n${mark}\n*/\n`,
  ].join('\n');
}

/** Runs the entry. It stands in the program just as it stands here. */
function start(entry, early, text, { mark, hiddenEnd }, meta, builtin) {
  const modules = {};
  partOf(entry);

  function partOf(name) {
    if (!name.startsWith('./')) return builtin(name);
    if (!modules[name]) {
      const module = { exports: {} };
      modules[name] = module;
      (early[name] ?? compiled(name))(partOf, module, module.exports, meta);
    }
    return modules[name].exports;
  }

  function compiled(name) {
    const head = `\n${mark}${name}\n`;
    const from = text.indexOf(head) + head.length;
    const code = text.slice(from, text.indexOf(`\n${mark}`, from)).replaceAll(hiddenEnd, '*/');
    const parameters = ['require', 'module', 'exports', 'meta'];
    return builtin('node:vm').compileFunction(code, parameters, { filename: name });
  }
}

function hidden(body) {
  if (body.includes(hiddenEnd) || body.includes(mark)) throw new Error('a chunk has our marks');
  return body.replaceAll('*/', hiddenEnd);
}

async function functionBody(text) {
  const { code } = await transform(text, {
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    minify: true,
    charset: 'ascii',
    supported: { 'dynamic-import': false },
  });
  return code.trimEnd();
}

/** What is loaded with the entry, itself among it. */
function staticallyImported(outputs, entry) {
  const found = new Set([entry]);
  for (const path of found) {
    for (const { path: next, kind, external } of outputs[path].imports) {
      if (kind === 'import-statement' && !external) found.add(next);
    }
  }
  return found;
}
