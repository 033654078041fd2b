const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** For XML 1.0, which has no way to write most control characters, nor half a surrogate pair; and for HTML. */
export function escapedXml(text: string): string {
  return text
    .toWellFormed()
    // oxlint-disable-next-line no-control-regex -- these are what XML cannot hold
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/gu, "\ufffd")
    .replaceAll(/[&<>"']/gu, (sign) => entities[sign] ?? sign);
}

/** Names and notes come from data: in Markdown they must not become links, images, tables or markup. */
export function escapedMarkdown(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/\s+/gu, " ")
    .replaceAll(/[\\`*_{}[\]<>()#+!|~&]/gu, (sign) => `\\${sign}`);
}
