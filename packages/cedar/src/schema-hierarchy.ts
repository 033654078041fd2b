/** Everything that can be reached from `start` by going up; `start` itself only where the way leads back to it. */
export function above(start: string, parents: (name: string) => Iterable<string>): ReadonlySet<string> {
  const reached = new Set<string>();
  const next = [...parents(start)];
  for (let name = next.pop(); name !== undefined; name = next.pop()) {
    if (reached.has(name)) continue;
    reached.add(name);
    next.push(...parents(name));
  }
  return reached;
}
