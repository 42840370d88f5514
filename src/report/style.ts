/** Shades of CPU use from idle to busy: in light mode from pale to dark, in dark mode from dim to bright. */
const light = [
  '#eef3f8',
  '#dbe8f4',
  '#c4dbef',
  '#a8cbe8',
  '#86b7df',
  '#65a0d3',
  '#4a89c4',
  '#3472b0',
  '#265c97',
  '#1c487c',
  '#143661',
];
const dark = [
  '#1d2733',
  '#20344a',
  '#234161',
  '#264f78',
  '#2b5f8f',
  '#3271a6',
  '#4285bb',
  '#5c9acc',
  '#7db1da',
  '#a3c9e6',
  '#cfe3f3',
];

const shades = (colours: readonly string[]): string =>
  colours.map((colour, at) => `--u${at}:${colour}`).join(';');

const fills = light.map((_, at) => `.u${at}{fill:var(--u${at});background:var(--u${at})}`).join('');

export const style = `
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--page:#fff;--card:#f6f8fa;--line:#d8dee6;--bar:#3472b0;--bad:#b3261e;--warn:#8a5a00;--good:#1d6f42;${shades(light)}}
@media (prefers-color-scheme:dark){:root{--ink:#e4e9f0;--soft:#9aa7b8;--page:#12171e;--card:#1a212b;--line:#2e3846;--bar:#5c9acc;--bad:#ff8a80;--warn:#f2c14e;--good:#7bd3a0;${shades(dark)}}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:60rem;padding:1.5rem 1rem 4rem;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.6rem;margin:0}h2{font-size:1.2rem;margin:2.2rem 0 .6rem;border-bottom:1px solid var(--line);padding-bottom:.2rem}
h3{font-size:1rem;margin:0 0 .3rem}h4{font-size:.85rem;margin:0 0 .3rem;font-weight:600}
small{color:var(--soft);font-weight:400;margin-left:.4rem}p{margin:.4rem 0}.note,.axis,.legend,figcaption{color:var(--soft);font-size:.85rem}
nav a{color:inherit;margin-right:.9rem;font-size:.9rem}
.verdict{padding:.7rem .9rem;border-left:4px solid var(--bad);background:var(--card)}.verdict.good{border-color:var(--good)}
.finding{background:var(--card);border:1px solid var(--line);border-left:4px solid var(--warn);padding:.7rem .9rem;margin:.6rem 0}.finding.critical{border-left-color:var(--bad)}
.finding ul{margin:.3rem 0;padding-left:1.2rem}.sign.critical{color:var(--bad)}.sign.warning{color:var(--warn)}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}th{font-weight:600;color:var(--soft)}
th,.sign{overflow-wrap:normal;white-space:nowrap}td,th{padding:.25rem .5rem;text-align:right;border-bottom:1px solid var(--line);vertical-align:top}td.name{max-width:20rem}td.name,th:first-child,.text,.sign{text-align:left}
.wide{overflow-x:auto}.share{position:relative;min-width:10rem}.share span{position:absolute;left:.5rem;top:.35rem;height:1.1rem;width:calc((100% - 6.5rem)*var(--share));background:var(--bar);opacity:.4}
.share b{position:relative;font-weight:600}
svg{width:100%;height:auto;display:block}svg text{fill:var(--soft);font:11px system-ui,sans-serif}svg .row{text-anchor:end}svg .of-node{font-weight:700;fill:var(--ink)}svg .of-llc{fill:var(--ink)}
svg .end{text-anchor:end}svg .tick{font-size:10px}.bar{fill:var(--bar)}.base{stroke:var(--line)}
.none{fill:none;stroke:var(--line);background:none}${fills}
.legend i{display:inline-block;width:1rem;height:.8rem;vertical-align:middle}
.topology,.node{display:flex;flex-wrap:wrap;gap:.6rem}.node{border:1px solid var(--line);padding:.6rem;background:var(--card);align-content:flex-start}.node h3{width:100%}
.llc{border:1px solid var(--line);padding:.4rem .5rem;background:var(--page)}.core{display:inline-flex;border:1px solid var(--line);margin:1px;padding:1px}
.cpu{min-width:1.9rem;padding:.1rem .2rem;text-align:center;font-size:.75rem;color:var(--ink)}
.cpu:is(.u6,.u7,.u8,.u9,.u10){color:var(--page)}
figure{margin:0 0 1.5rem}.figures span{margin-left:.8rem}details{font-size:.85rem}img.flame{width:100%;background:#fff}
@media print{nav{display:none}}`;
