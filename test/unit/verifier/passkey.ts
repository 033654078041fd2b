import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { toBase64, utf8 } from "@licet/evidence";

/** What an authenticator answers, with a real P-256 key: WebAuthn level 3, packed by hand. */
export function passkey() {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  const cose = Buffer.concat([Buffer.from("a5010203262001215820", "hex"), Buffer.from(x, "base64url"), Buffer.from("225820", "hex"), Buffer.from(y, "base64url")]);
  return {
    assert(digest: string, change: { readonly flags?: number; readonly type?: string } = {}) {
      const challenge = Buffer.from(digest.slice("sha256:".length), "hex").toString("base64url");
      const clientData = Buffer.from(JSON.stringify({ type: change.type ?? "webauthn.get", challenge, origin: "https://licet.example", crossOrigin: false }));
      const authenticatorData = Buffer.concat([createHash("sha256").update("licet.example").digest(), Buffer.of(change.flags ?? 0x05), Buffer.from([0, 0, 0, 1])]);
      const signature = sign("sha256", Buffer.concat([authenticatorData, createHash("sha256").update(clientData).digest()]), privateKey);
      const response = { clientDataJSON: clientData.toString("base64url"), authenticatorData: authenticatorData.toString("base64url"), signature: signature.toString("base64url") };
      return { response: { id: "key", rawId: "key", type: "public-key", response }, publicKey: toBase64(cose) };
    },
  };
}

/** A COSE key of another kind, and something that is none. */
export const notAKey = toBase64(utf8("not a key"));
