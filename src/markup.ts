const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as it stands between tags of HTML and SVG, and in attributes in quotes. */
export const asMarkup = (text: string): string =>
  text.replace(/[&<>"']/g, (mark) => entities[mark] ?? '');
