const stepsMax = 200;

/** Where `beyond` changes from true at `outer` to false at `inner`, by bisection to the last bit. */
export function crossing(beyond: (x: number) => boolean, outer: number, inner: number): number {
  let outside = outer;
  let inside = inner;
  for (let step = 0; step < stepsMax; step += 1) {
    const middle = (outside + inside) / 2;
    if (middle === outside || middle === inside) break;
    if (beyond(middle)) outside = middle;
    else inside = middle;
  }
  return (outside + inside) / 2;
}
