import { createPublicKey } from "node:crypto";
import { z } from "zod";
import { LicetError } from "../base/errors.ts";
import { bytesOf, kmsAnswer, kmsCall, type KmsLoader, loadKms, type RootWrapper } from "./kms-load.ts";
import { keyIdOf, rawPublicKey, signatureHolds, type Signer } from "./signer.ts";

interface AwsClient {
  send(command: object, options: { readonly abortSignal: AbortSignal }): Promise<unknown>;
}
type CommandClass = new (input: object) => object;

const command = z.custom<CommandClass>((value) => typeof value === "function");
const awsModule = z.object({
  KMSClient: z.custom<new (configuration: object) => AwsClient>((value) => typeof value === "function"),
  SignCommand: command,
  GetPublicKeyCommand: command,
  EncryptCommand: command,
  DecryptCommand: command,
});

interface AwsKms {
  readonly commands: z.infer<typeof awsModule>;
  send(what: string, of: object): Promise<unknown>;
}

/** The region stands in an ARN; for a bare id or alias the client takes it from its own configuration. */
function regionOf(key: string): string | undefined {
  return /^arn:[^:]+:kms:([a-z0-9-]+):/u.exec(key)?.[1];
}

async function openAws(key: string, load?: KmsLoader): Promise<AwsKms> {
  const [loaded] = await loadKms("aws-kms", load);
  const commands = awsModule.safeParse(loaded);
  if (!commands.success) throw kmsAnswer("aws-kms", "load its client");
  const region = regionOf(key);
  const client = new commands.data.KMSClient(region === undefined ? {} : { region });
  return { commands: commands.data, send: (what, of) => kmsCall("aws-kms", what, (abortSignal) => client.send(of, { abortSignal })) };
}

const publicKeyAnswer = z.object({ PublicKey: z.custom<Uint8Array>((value) => value instanceof Uint8Array), KeySpec: z.string().optional(), KeyUsage: z.string().optional() });
const signAnswer = z.object({ Signature: z.custom<Uint8Array>((value) => value instanceof Uint8Array) });

/**
 * A key of spec ECC_NIST_EDWARDS25519 for SIGN_VERIFY; ED25519_SHA_512 takes the message itself (MessageType RAW, at
 * most 4096 bytes) and gives the 64 bytes of RFC 8032.
 */
export async function awsSigner(key: string, load?: KmsLoader): Promise<Signer> {
  const kms = await openAws(key, load);
  const found = publicKeyAnswer.safeParse(await kms.send("give its public key", new kms.commands.GetPublicKeyCommand({ KeyId: key })));
  if (!found.success) throw kmsAnswer("aws-kms", "give its public key");
  const publicKey = ed25519Of(found.data.PublicKey, key);
  const by = { algorithm: "ed25519", keyid: keyIdOf(publicKey), publicKey } as const;
  return {
    ...by,
    sign: async (message) => {
      const input = { KeyId: key, Message: message, MessageType: "RAW", SigningAlgorithm: "ED25519_SHA_512" };
      const signed = signAnswer.safeParse(await kms.send("sign", new kms.commands.SignCommand(input)));
      if (!signed.success || !signatureHolds(by, message, signed.data.Signature)) throw kmsAnswer("aws-kms", "sign");
      return signed.data.Signature;
    },
  };
}

function ed25519Of(spki: Uint8Array, key: string): Buffer {
  try {
    return rawPublicKey("ed25519", createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" }));
  } catch (cause) {
    throw new LicetError("kms_unsupported", { message: `\`${key}\` is not a key of the spec ECC_NIST_EDWARDS25519`, cause });
  }
}

/** A symmetric key; the encryption context binds the wrapped root to this installation's log. */
export async function awsWrapper(key: string, origin: string, load?: KmsLoader): Promise<RootWrapper> {
  const kms = await openAws(key, load);
  const EncryptionContext = { purpose: "licet root key", origin };
  return {
    wrap: async (root) => {
      const answer = z.object({ CiphertextBlob: z.unknown(), KeyId: z.string().optional() }).safeParse(await kms.send("encrypt", new kms.commands.EncryptCommand({ KeyId: key, Plaintext: root, EncryptionContext })));
      const wrapped = bytesOf(answer.data?.CiphertextBlob);
      if (wrapped === undefined) throw kmsAnswer("aws-kms", "encrypt");
      return { wrapped, key: answer.data?.KeyId ?? key };
    },
    unwrap: async (wrapped) => {
      const answer = z.object({ Plaintext: z.unknown() }).safeParse(await kms.send("decrypt", new kms.commands.DecryptCommand({ KeyId: key, CiphertextBlob: wrapped, EncryptionContext })));
      const root = bytesOf(answer.data?.Plaintext);
      if (root === undefined) throw kmsAnswer("aws-kms", "decrypt");
      return root;
    },
  };
}
