import type { Checkpoint } from "../checkpoint.ts";
import type { PackManifest } from "../pack.ts";
import type { Proved, ReadAto } from "./ato.ts";
import type { OpenedEntry } from "./entries.ts";
import { fail, pass, type Finding } from "./report.ts";

/** The one kind of entry that changes an authorization after its grant; its body says what it is then. */
const changeKind = "ato.state-changed";
const states = new Set(["granted", "conditional", "suspended", "revoked", "expired", "denied"]);

function stateAfter({ leaf, plaintext }: OpenedEntry): string | undefined {
  const { state } = plaintext.body;
  return leaf.kind === changeKind && typeof state === "string" && states.has(state) ? state : undefined;
}

/** What an authorization was at the checkpoint, as far as the exported entries say. */
export function checkStanding(read: ReadAto, proved: Proved, pack: { readonly manifest: PackManifest; readonly checkpoint: Checkpoint }): Finding {
  const { ato, source } = read;
  const later = proved.entries.filter((entry) => entry.index > source.entry.index && entry.leaf.kind.startsWith("ato.") && isAbout(entry, ato.id));
  const unknown = later.find((entry) => stateAfter(entry) === undefined);
  if (unknown !== undefined) return fail("ato", "ato_change_unknown", `\`${ato.id}\`: this verifier does not know what \`${unknown.leaf.kind}\` in entry ${unknown.index} does`);
  const last = later.at(-1);
  const state = last === undefined ? ato.decision : stateAfter(last);
  const asOf = `as of checkpoint ${pack.checkpoint.size}`;
  const until = new Date(ato.notAfter).toISOString();
  if (state === "granted" || state === "conditional") {
    const standing = pack.manifest.exportedAt < ato.notAfter ? `${state} until ${until}` : `expired at ${until}`;
    return pass("ato", `\`${ato.id}\` was ${standing}, ${asOf}, as far as the exported entries say`);
  }
  return pass("ato", `\`${ato.id}\` was ${state ?? "revoked"} since entry ${last?.index ?? source.entry.index}, ${asOf}`);
}

function isAbout({ plaintext }: OpenedEntry, id: string): boolean {
  const { ato, id: own } = plaintext.body;
  return (ato ?? own) === id;
}
