import type { Frame } from "../ledger/log.ts";

/** Frames in one piece of memory, so that a thread takes them over without a copy. */
export interface PackedFrames {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Ends of leaf and payload, in turn. */
  readonly ends: Uint32Array<ArrayBuffer>;
}

export function packFrames(frames: readonly Frame[]): PackedFrames {
  const bytes = new Uint8Array(frames.reduce((sum, { leaf, payload }) => sum + leaf.length + payload.length, 0));
  const ends = new Uint32Array(frames.length * 2);
  let end = 0;
  for (const [at, { leaf, payload }] of frames.entries()) {
    for (const [part, which] of [leaf, payload].entries()) {
      bytes.set(which, end);
      end += which.length;
      ends[at * 2 + part] = end;
    }
  }
  return { bytes, ends };
}

export function* unpackFrames({ bytes, ends }: PackedFrames): Generator<Frame> {
  let from = 0;
  for (let at = 0; at < ends.length; at += 2) {
    const [middle = 0, end = 0] = [ends[at], ends[at + 1]];
    yield { leaf: bytes.subarray(from, middle), payload: bytes.subarray(middle, end) };
    from = end;
  }
}
