import { createSecretKey } from "node:crypto";
import { keyRotationStatement } from "@licet/evidence";
import type { Clock } from "../base/clock.ts";
import { LicetError } from "../base/errors.ts";
import type { EntryDefinition, JsonObject } from "./entry.ts";
import type { Frame } from "./frame.ts";
import type { KeyMeans } from "./key-protection.ts";
import { type Keyring, openKeyring } from "./keyring.ts";
import { type Keys, localSigner, remoteSigner, saveKeySet, signedBy, signerOf } from "./keys.ts";
import { type KeyRole, type RemoteKey, type SigningRole } from "./keys-file.ts";
import { algorithms, type KeySet, newHeldKey, newSigningKey, type PendingKey, type RetiredKey, type SigningKey } from "./keys-set.ts";
import type { EvidenceLog } from "./log.ts";
import type { Recorder } from "./recorder.ts";
import { leafIn, openEntry } from "./sealing.ts";
import { signatureHolds } from "./signer.ts";

const kind = "key.rotated";

/** A key takes over a role. No rows: the keys file holds what is in force, the statement convinces others. */
export const keyEntries: readonly EntryDefinition[] = [{ kind, v: 1, mode: "governance", apply: async () => {} }];

export interface RotationParts {
  readonly keys: Keys;
  readonly keyring: Keyring;
  readonly log: EvidenceLog;
  readonly clock: Clock;
  /** Replaces keys.json. */
  readonly save?: (set: KeySet) => Promise<void>;
}

export interface RotationWish {
  readonly role: KeyRole;
  /** A key management service that signs checkpoints from now on; of the role `log` alone. */
  readonly remote?: RemoteKey | undefined;
  readonly means?: KeyMeans;
}

export interface Rotated {
  readonly role: KeyRole;
  readonly keyid: string;
  readonly previous: string;
  /** Milliseconds since the Unix epoch. */
  readonly notBefore: number;
  /** The old keys have signed a checkpoint over the announcement; false if they could not. */
  readonly covered: boolean;
}

/**
 * Replaces a key. In this order, so that after a crash at any step the old key or the new one opens and signs
 * everything: the new key is written beside the old one; its entry is logged; the old key signs a checkpoint over it; for
 * the root, the keyring is wrapped anew; the new key takes the old one's place. The caller opens the record again.
 */
export async function rotateKey(parts: RotationParts & { readonly recorder: Pick<Recorder, "commit"> }, wish: RotationWish): Promise<Rotated> {
  const { keys, log, clock } = parts;
  await assertLater(parts, wish.role);
  const pending = await nextKey(wish, { created: clock.now(), logSize: log.size });
  const set: KeySet = { ...keys.set, pending };
  await (parts.save ?? saveIn(keys))(set);
  const notBefore = await announce(parts, pending);
  return finish(parts, { pending, notBefore });
}

/** Ends a rotation that a crash has interrupted after its entry. True: the keys have changed, and everything is to be opened again. */
export async function finishRotation(parts: RotationParts): Promise<boolean> {
  const { pending } = parts.keys.set;
  const announced = pending && (await announcement(parts, pending));
  if (!pending || announced === undefined) return false;
  await finish(parts, { pending, notBefore: announced });
  return true;
}

/** A new key begins after everything that the old one has signed; a clock behind the log could not say when that is. */
async function assertLater({ keys, log, clock }: RotationParts, role: KeyRole): Promise<void> {
  const since = role === "root" ? keys.set.root.created : keys.set.signing[role].created;
  let newest = since;
  for await (const frame of log.scan(Math.max(0, log.size - newestAmong))) newest = Math.max(newest, leafIn(frame).time);
  if (clock.now() > newest) return;
  throw new LicetError("keys_rotation", { message: "the clock is not past the newest entry of the log: correct it, or wait", at: { behindMilliseconds: newest - clock.now() } });
}

/** Times in the log are almost in order: the newest is among the last entries. */
const newestAmong = 256;

async function nextKey(wish: RotationWish, at: { readonly created: number; readonly logSize: number }): Promise<PendingKey> {
  const { role, remote } = wish;
  const { created, logSize } = at;
  if (remote !== undefined && role !== "log") throw new LicetError("kms_unsupported", { message: `only the log's Ed25519 key can be in a key management service, not \`${role}\`: statements are signed inside write transactions, which wait for no network` });
  if (role === "root") return { role, logSize, key: newHeldKey(created) };
  return { role, logSize, key: remote === undefined ? newSigningKey(role, created) : await adopt(remote, created, wish.means) };
}

/** The service proves that it holds the key before anything speaks of it. */
async function adopt(remote: RemoteKey, created: number, means: KeyMeans = {}): Promise<SigningKey> {
  const signer = await remoteSigner(remote, means.loadKms);
  const trial = Buffer.from("licet: may this key sign the log\n");
  if (!signatureHolds(signer, trial, await signer.sign(trial))) throw new LicetError("kms_failed");
  return { keyid: signer.keyid, created, publicKey: Buffer.from(signer.publicKey), place: { remote } };
}

function keyInForce(set: KeySet, role: KeyRole): { readonly keyid: string; readonly created: number } {
  return role === "root" ? set.root : set.signing[role];
}

async function announce({ keys: { set }, recorder }: { readonly keys: Keys; readonly recorder: Pick<Recorder, "commit"> }, pending: PendingKey): Promise<number> {
  const { value } = await recorder.commit(async (_tx, notBefore) => {
    const rotation = {
      role: pending.role,
      keyid: pending.key.keyid,
      publicKey: pending.role === "root" ? "" : pending.key.publicKey.toString("base64"),
      algorithm: pending.role === "root" ? ("aes-256-gcm" as const) : algorithms[pending.role],
      previous: keyInForce(set, pending.role).keyid,
      notBefore,
    };
    const signers = [localSigner(set, "statement"), ...(pending.role === "statement" ? [signerOf("statement", pending.key)] : [])];
    const { payloadType, payload, signatures } = signedBy(signers, keyRotationStatement(rotation));
    const statement: JsonObject = { payloadType, payload, signatures: signatures.map(({ keyid, sig }) => ({ keyid, sig })) };
    return { entry: { kind, space: "main", actor: "server", subject: "space", class: "governance", body: { ...rotation, statement } }, value: notBefore };
  });
  return value;
}

/** When the pending key was announced; `undefined` if the crash came before. */
async function announcement({ log, keyring }: RotationParts, pending: PendingKey): Promise<number | undefined> {
  for await (const frame of log.scan(pending.logSize)) {
    const leaf = leafIn(frame);
    if (leaf.kind === kind && isAbout(keyring, frame, pending)) return leaf.time;
  }
  return undefined;
}

function isAbout(keyring: Keyring, frame: Frame, pending: PendingKey): boolean {
  try {
    return openEntry(keyring, frame).body["keyid"] === pending.key.keyid;
  } catch (error) {
    // The keyring was wrapped under the new root before the crash: only this rotation does that, and after its entry.
    if (pending.role === "root" && error instanceof LicetError && error.code === "payload_damaged") return true;
    throw error;
  }
}

async function finish(parts: RotationParts, { pending, notBefore }: { readonly pending: PendingKey; readonly notBefore: number }): Promise<Rotated> {
  const { keys, log } = parts;
  const covered = await log.publish().then(() => true, uncovered);
  if (pending.role === "root") await rewrap(parts, pending.key.secret);
  await (parts.save ?? saveIn(keys))(promoted(keys.set, pending, notBefore));
  return { role: pending.role, keyid: pending.key.keyid, previous: keyInForce(keys.set, pending.role).keyid, notBefore, covered };
}

/** A service that has lost the old key must not keep the new one from replacing it: the statement vouches for that. */
function uncovered(error: unknown): boolean {
  if (error instanceof LicetError) return false;
  throw error;
}

async function rewrap({ keys, keyring, clock }: RotationParts, secret: Buffer): Promise<void> {
  const root = createSecretKey(secret);
  try {
    await keyring.rewrap(root);
  } catch (error) {
    if (!(error instanceof LicetError) || error.code !== "payload_damaged") throw error;
    // A crash came after the wrapping: then every key opens under the new root, or the keyring is damaged.
    const again = await openKeyring({ directory: keys.directory, root, clock });
    try {
      await again.rewrap(root);
    } finally {
      await again.close();
    }
  }
}

function promoted(set: KeySet, pending: PendingKey, notBefore: number): KeySet {
  const { pending: _ended, ...rest } = set;
  const { role } = pending;
  const { keyid, created } = keyInForce(set, role);
  const publicKey = role === "root" ? null : set.signing[role].publicKey.toString("base64");
  const retired: readonly RetiredKey[] = [...set.retired, { role, keyid, publicKey, created, retired: notBefore }];
  if (pending.role === "root") return { ...rest, retired, root: { ...pending.key, created: notBefore } };
  return { ...rest, retired, signing: withKey(set, pending.role, { ...pending.key, created: notBefore }) };
}

function withKey(set: KeySet, role: SigningRole, key: SigningKey): KeySet["signing"] {
  return { ...set.signing, [role]: key };
}

function saveIn({ directory }: Keys): (set: KeySet) => Promise<void> {
  return (set) => saveKeySet(directory, set);
}
