import { fromBase64, toBase64 } from "./bytes.ts";
import { parsed, refused, type Parsed } from "./parsed.ts";

/** What a log says of itself (C2SP tlog-checkpoint): who it is, how many entries, and their root. */
export interface Checkpoint {
  readonly origin: string;
  /** Entries in the tree, at most 2^53 - 1. */
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  readonly extensions: readonly string[];
}

/** The text to sign: three lines. Throws a TypeError for an origin with newlines, a root not 32 bytes long, or a size that is no count. */
export function formatCheckpoint(of: { readonly origin: string; readonly size: number; readonly root: Uint8Array }): string {
  const text = `${of.origin}\n${of.size}\n${toBase64(of.root)}\n`;
  if (!parseCheckpoint(text).ok) throw new TypeError("the checkpoint's origin, size or root is malformed");
  return text;
}

/** Parses a checkpoint's text, without its signatures. */
export function parseCheckpoint(text: string): Parsed<Checkpoint> {
  const [origin = "", decimal = "", encoded = "", ...extensions] = text.split("\n").slice(0, -1);
  const root = fromBase64(encoded);
  const size = Number(decimal);
  if (!text.endsWith("\n") || origin === "" || extensions.includes("")) return refused("checkpoint_malformed", "the checkpoint does not have its three lines");
  if (!/^(0|[1-9]\d{0,15})$/.test(decimal) || !Number.isSafeInteger(size)) return refused("checkpoint_size", "the checkpoint's size is not a number of entries");
  if (!root.ok || root.value.length !== 32) return refused("checkpoint_root", "the checkpoint's root is not a sha-256 hash");
  return parsed({ origin, size, root: root.value, extensions });
}
