const start = (name: string): string => `<!-- generated:${name} -->`;
const end = (name: string): string => `<!-- /generated:${name} -->`;

/** The page with the named block replaced. Throws where the page does not hold the block: a lost marker must be seen. */
export function withBlock(page: string, name: string, content: string): string {
  const from = page.indexOf(start(name));
  const to = page.indexOf(end(name));
  if (from < 0 || to < from) throw new Error(`the page holds no block \`${name}\``);
  return `${page.slice(0, from)}${start(name)}\n\n${content.trim()}\n\n${page.slice(to)}`;
}

/** Text that may hold pipes and line breaks, as one cell of a table. */
export function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll(/\s*\n\s*/gu, " ").trim();
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}
