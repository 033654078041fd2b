import { createPublicKey } from "node:crypto";
import { z } from "zod";
import { LicetError } from "../base/errors.ts";
import { bytesOf, kmsAnswer, kmsCall, kmsCallMillisecondsMax, type KmsLoader, loadKms, type RootWrapper } from "./kms-load.ts";
import { keyIdOf, rawPublicKey, signatureHolds, type Signer } from "./signer.ts";

type GcpCall = (request: object, options: { readonly timeout: number }) => Promise<readonly unknown[]>;
interface GcpClient {
  readonly getPublicKey: GcpCall;
  readonly asymmetricSign: GcpCall;
  readonly encrypt: GcpCall;
  readonly decrypt: GcpCall;
}
const gcpModule = z.object({ KeyManagementServiceClient: z.custom<new () => GcpClient>((value) => typeof value === "function") });

type Ask = (what: string, call: (client: GcpClient) => Promise<readonly unknown[]>) => Promise<unknown>;

/** Calls answer with a list whose first element is the response. */
async function openGcp(load?: KmsLoader): Promise<Ask> {
  const [loaded] = await loadKms("gcp-kms", load);
  const found = gcpModule.safeParse(loaded);
  if (!found.success) throw kmsAnswer("gcp-kms", "load its client");
  const client = new found.data.KeyManagementServiceClient();
  return async (what, call) => (await kmsCall("gcp-kms", what, () => call(client)))[0];
}

const options = { timeout: kmsCallMillisecondsMax };

/**
 * A key version of algorithm EC_SIGN_ED25519 (PureEdDSA: the message goes in `data`, never in `digest`). Google offers
 * checksums of the transfer; the signature itself is checked here, which says more.
 */
export async function gcpSigner(version: string, load?: KmsLoader): Promise<Signer> {
  const ask = await openGcp(load);
  const found = z.object({ pem: z.string() }).safeParse(await ask("give its public key", (client) => client.getPublicKey({ name: version }, options)));
  if (!found.success) throw kmsAnswer("gcp-kms", "give its public key");
  const publicKey = ed25519Of(found.data.pem, version);
  const by = { algorithm: "ed25519", keyid: keyIdOf(publicKey), publicKey } as const;
  return {
    ...by,
    sign: async (message) => {
      const answer = z.object({ signature: z.unknown() }).safeParse(await ask("sign", (client) => client.asymmetricSign({ name: version, data: message }, options)));
      const signature = bytesOf(answer.data?.signature);
      if (signature === undefined || !signatureHolds(by, message, signature)) throw kmsAnswer("gcp-kms", "sign");
      return signature;
    },
  };
}

function ed25519Of(pem: string, version: string): Buffer {
  try {
    return rawPublicKey("ed25519", createPublicKey(pem));
  } catch (cause) {
    throw new LicetError("kms_unsupported", { message: `\`${version}\` is not a key version of the algorithm EC_SIGN_ED25519`, cause });
  }
}

/** A key of purpose ENCRYPT_DECRYPT; the additional data binds the wrapped root to this installation's log. */
export async function gcpWrapper(key: string, origin: string, load?: KmsLoader): Promise<RootWrapper> {
  const ask = await openGcp(load);
  const additionalAuthenticatedData = Buffer.from(`licet root key\n${origin}`);
  return {
    wrap: async (root) => {
      const answer = z.object({ ciphertext: z.unknown() }).safeParse(await ask("encrypt", (client) => client.encrypt({ name: key, plaintext: root, additionalAuthenticatedData }, options)));
      const wrapped = bytesOf(answer.data?.ciphertext);
      if (wrapped === undefined) throw kmsAnswer("gcp-kms", "encrypt");
      return { wrapped, key };
    },
    unwrap: async (wrapped) => {
      const answer = z.object({ plaintext: z.unknown() }).safeParse(await ask("decrypt", (client) => client.decrypt({ name: key, ciphertext: wrapped, additionalAuthenticatedData }, options)));
      const root = bytesOf(answer.data?.plaintext);
      if (root === undefined) throw kmsAnswer("gcp-kms", "decrypt");
      return root;
    },
  };
}
