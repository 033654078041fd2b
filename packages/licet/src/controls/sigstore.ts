import type { Envelope } from "@licet/evidence";

/** Sigstore bundle, version 0.3. */
export const sigstoreMediaType = "application/vnd.dev.sigstore.bundle.v0.3+json";

/**
 * A DSSE envelope as a Sigstore bundle whose key is known by a hint: the key id, as the trust file lists it. It names
 * no Rekor entry and no timestamp, so verifiers must be told to ask for none. A bundle holds one signature: where the
 * envelope has several, that of the first key.
 */
export function sigstoreBundle({ payload, payloadType, signatures }: Envelope): object {
  const [first] = signatures;
  if (first === undefined) throw new TypeError("an envelope has a signature");
  return {
    mediaType: sigstoreMediaType,
    verificationMaterial: { publicKey: { hint: first.keyid }, tlogEntries: [], timestampVerificationData: { rfc3161Timestamps: [] } },
    dsseEnvelope: { payload, payloadType, signatures: [{ sig: first.sig, keyid: first.keyid }] },
  };
}
