import { createHash } from 'node:crypto';
import { untrusted } from '../../parsers/untrusted.ts';
import { flameScript, flameStyle } from './flame-script.ts';
import { escaped, type FlameOptions, type FlamePicture, flameBody } from './flame-svg.ts';

const pageStyle = `body{margin:0;padding:8px;font:14px sans-serif;background:#fff;color:#222}
ul{margin:8px 0;padding-left:20px;overflow-wrap:anywhere}
@media (prefers-color-scheme:dark){body{background:#1b1b1d;color:#eee}}`;

/**
 * A page of its own with the flame graph and what is to be known of it. Its policy lets nothing run
 * but the script that stands in it, and nothing be loaded.
 */
export function flameHtml(
  picture: FlamePicture,
  notes: readonly string[],
  options: FlameOptions,
): string {
  const body = flameBody(picture, options);
  const policy = [
    "default-src 'none'",
    `script-src '${hash(flameScript)}'`,
    `style-src '${hash(flameStyle)}' '${hash(pageStyle)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const list = notes.map((note) => `<li>${escaped(untrusted(note, 1000))}</li>`).join('');
  return (
    `<!doctype html>\n<html lang="en"><head><meta charset="utf-8">` +
    `<meta http-equiv="Content-Security-Policy" content="${policy}">` +
    `<meta name="viewport" content="width=device-width">` +
    `<title>${escaped(picture.title)}</title><style>${pageStyle}</style></head>` +
    `<body>${body}${list === '' ? '' : `<ul>${list}</ul>`}<script>${flameScript}</script></body></html>\n`
  );
}

const hash = (text: string): string =>
  `sha256-${createHash('sha256').update(text).digest('base64')}`;
