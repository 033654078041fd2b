import { KeyRotationPredicate } from "@licet/contract";
import { statementKeyId, verifyStatement, type SignerKey } from "@licet/evidence";
import { controlKeys, writeMembership, type Membership } from "./membership.ts";

/**
 * The keys that sign for the control plane, the newest first. The newest signs what is sent; all of them have signed
 * authorizations that may still be in force.
 */
export class TrustedKeys {
  readonly #keysDirectory: string;
  #membership: Membership;
  #keys: readonly SignerKey[];

  constructor(keysDirectory: string, membership: Membership) {
    this.#keysDirectory = keysDirectory;
    this.#membership = membership;
    this.#keys = controlKeys(membership);
  }

  get all(): readonly SignerKey[] {
    return this.#keys;
  }

  /** Whose signature counts on the wire. */
  get signing(): readonly SignerKey[] {
    return this.#keys.slice(0, 1);
  }

  /**
   * Follows the control plane's rotations, oldest first. INVARIANT: a key is believed because the one before it has signed
   * that it follows, and it has signed so itself; what is known already, or does not follow, changes nothing.
   */
  async follow(rotations: readonly unknown[]): Promise<void> {
    for (const envelope of rotations) {
      const next = await this.#successor(envelope);
      if (next === undefined) continue;
      const { keyid, publicKey } = next;
      const membership = { ...this.#membership, keys: [{ keyid, publicKey: Buffer.from(publicKey).toString("base64") }, ...this.#membership.keys] };
      await writeMembership(this.#keysDirectory, membership);
      this.#membership = membership;
      this.#keys = [next, ...this.#keys];
    }
  }

  async #successor(envelope: unknown): Promise<SignerKey | undefined> {
    const [current] = this.#keys;
    const said = current === undefined ? undefined : await verifyStatement(envelope, [current]);
    const rotation = KeyRotationPredicate.safeParse(said?.ok === true ? said.value.statement.predicate : undefined);
    if (current === undefined || !rotation.success) return undefined;
    const { role, keyid, previous } = rotation.data;
    const publicKey = Buffer.from(rotation.data.publicKey, "base64");
    if (role !== "statement" || previous !== current.keyid || statementKeyId(publicKey) !== keyid) return undefined;
    const next = { keyid, publicKey };
    return (await verifyStatement(envelope, [next])).ok ? next : undefined;
  }
}
