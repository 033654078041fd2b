/** Whether two names, each typed by somebody, mean one vendor. */
export function sameVendor(one: string, other: string): boolean {
  return folded(one) === folded(other);
}

function folded(name: string): string {
  return name.trim().toLowerCase();
}
