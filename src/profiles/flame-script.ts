/** Rules for what the boxes themselves do not say: they have colours of their own. */
export const flameStyle = `svg.flame{background:#fff;font:11px monospace}
svg.flame g.boxes g{cursor:pointer}
svg.flame g.boxes rect{stroke:#fff;stroke-width:.5}
svg.flame g.boxes g:hover rect{stroke:#000;stroke-width:1}
svg.flame g.faded rect{opacity:.5}
svg.flame text{pointer-events:none}
svg.flame .ink{fill:#222}
.flame-tools{font:12px sans-serif;white-space:nowrap}
.flame-tools *{margin-right:6px}
@media (prefers-color-scheme:dark){svg.flame{background:#1b1b1d}svg.flame .ink{fill:#eee}svg.flame g.boxes rect{stroke:#1b1b1d}.flame-tools{color:#eee}}`;

/**
 * What makes a flame graph answer to clicks: zoom, reset, search, upside down. Names reach the page as
 * text only. It needs no network, evaluates no text, and stands alone in an SVG or an HTML file.
 */
export const flameScript = `(function () {
'use strict';
var svg = document.querySelector('svg.flame');
if (!svg) return;
var HTML = 'http://www.w3.org/1999/xhtml', SVG = svg.namespaceURI, E = 2e-6;
var top = +svg.getAttribute('data-top'), level = +svg.getAttribute('data-level');
var levels = +svg.getAttribute('data-levels'), icicle = svg.getAttribute('data-icicle') === '1';
var holder = svg.querySelector('g.boxes'), details = svg.querySelector('.details');
var zoomed = null, query = '';
function lineOf(y) { return Math.round((y - top) / level); }
var boxes = Array.prototype.map.call(holder.children, function (g) {
  var r = g.querySelector('rect'), tip = g.querySelector('title').textContent;
  var line = lineOf(+r.getAttribute('y'));
  var box = { g: g, r: r, t: g.querySelector('text'), tip: tip, name: tip.slice(0, tip.lastIndexOf(' (')),
    x: parseFloat(r.getAttribute('x')) / 100, w: parseFloat(r.getAttribute('width')) / 100,
    depth: icicle ? line : levels - 1 - line, fill: r.getAttribute('fill') };
  box.lower = box.name.toLowerCase();
  g.flameBox = box;
  return box;
});
var root = boxes[0];
svg.setAttribute('width', '100%');
function percent(share) { return (share * 100).toFixed(4) + '%'; }
function place(box, x, w) {
  var y = top + level * (icicle ? box.depth : levels - 1 - box.depth);
  box.nowX = x; box.nowW = w; box.nowY = y;
  box.r.setAttribute('x', percent(x)); box.r.setAttribute('width', percent(w)); box.r.setAttribute('y', y);
}
function label(box, width) {
  var room = Math.floor((box.nowW * width - 6) / 6.65);
  if (room < 3) { if (box.t) box.t.textContent = ''; return; }
  if (!box.t) {
    box.t = document.createElementNS(SVG, 'text');
    box.t.setAttribute('dx', '3');
    box.g.appendChild(box.t);
  }
  box.t.setAttribute('x', percent(box.nowX)); box.t.setAttribute('y', box.nowY + 12);
  box.t.textContent = box.name.length <= room ? box.name : box.name.slice(0, room - 2) + '..';
}
function draw() {
  var zoom = zoomed || root, width = svg.getBoundingClientRect().width || 1200;
  boxes.forEach(function (box) {
    var inside = box.depth >= zoom.depth && box.x >= zoom.x - E && box.x + box.w <= zoom.x + zoom.w + E;
    var above = box.depth < zoom.depth && box.x <= zoom.x + E && box.x + box.w >= zoom.x + zoom.w - E;
    if (!inside && !above) { box.g.setAttribute('display', 'none'); return; }
    box.g.removeAttribute('display');
    if (above) { box.g.setAttribute('class', 'faded'); place(box, 0, 1); }
    else { box.g.removeAttribute('class'); place(box, Math.max(0, (box.x - zoom.x) / zoom.w), Math.min(1, box.w / zoom.w)); }
    label(box, width);
  });
  svg.setAttribute('data-zoom', zoomed ? zoomed.name : '');
}
function search(text) {
  query = text.toLowerCase();
  var hits = [], share = 0, end = -1;
  boxes.forEach(function (box) {
    var hit = query !== '' && box !== root && box.lower.indexOf(query) >= 0;
    if (hit) hits.push(box);
    box.r.setAttribute('fill', hit ? '#d3f' : box.fill);
  });
  hits.sort(function (a, b) { return a.x - b.x || b.w - a.w; });
  hits.forEach(function (box) {
    if (box.x + E < end) return;
    share += box.w;
    end = box.x + box.w;
  });
  found.textContent = query === '' ? '' : hits.length + ' boxes, ' + (share * 100).toFixed(2) + ' % of all';
  svg.setAttribute('data-hits', hits.length);
}
function zoom(box) { zoomed = box === root ? null : box; draw(); }
function tool(name, props, onclick) {
  var element = document.createElementNS(HTML, name);
  Object.keys(props).forEach(function (key) {
    if (key === 'text') element.textContent = props.text; else element.setAttribute(key, props[key]);
  });
  if (onclick) element.addEventListener('click', onclick);
  tools.appendChild(element);
  return element;
}
var frame = document.createElementNS(SVG, 'foreignObject');
frame.setAttribute('x', 8); frame.setAttribute('y', 38); frame.setAttribute('width', '98%'); frame.setAttribute('height', 28);
var tools = document.createElementNS(HTML, 'div');
tools.setAttribute('class', 'flame-tools');
frame.appendChild(tools);
svg.appendChild(frame);
var field = tool('input', { type: 'search', placeholder: 'search (Ctrl-F)', 'aria-label': 'search', 'class': 'flame-search' });
tool('button', { type: 'button', 'class': 'flame-reset', text: 'reset zoom' }, function () { zoom(root); });
tool('button', { type: 'button', 'class': 'flame-flip', text: 'upside down' }, function () { icicle = !icicle; draw(); });
var found = tool('span', { 'class': 'flame-found' });
field.addEventListener('input', function () { search(field.value); });
holder.addEventListener('click', function (event) {
  for (var at = event.target; at && at !== holder; at = at.parentNode) if (at.flameBox) return zoom(at.flameBox);
});
holder.addEventListener('mouseover', function (event) {
  for (var at = event.target; at && at !== holder; at = at.parentNode) if (at.flameBox) details.textContent = at.flameBox.tip;
});
holder.addEventListener('mouseout', function () { details.textContent = ''; });
window.addEventListener('keydown', function (event) {
  if (event.key === 'Escape') { field.value = ''; search(''); zoom(root); }
  else if ((event.ctrlKey || event.metaKey) && event.key === 'f') { event.preventDefault(); field.focus(); }
});
window.addEventListener('resize', draw);
draw();
svg.setAttribute('data-ready', '1');
})();`;
