import { constants, createCipheriv, createDecipheriv, generateKeyPairSync, hash, type KeyObject, privateDecrypt, publicEncrypt, randomBytes, sign } from "node:crypto";
import type { KmsLoader } from "./kms-load.ts";

/**
 * Clients with the shapes that the vendors publish, over keys in this process: what they sign and encrypt is real, the
 * services behind them are not.
 */
export interface PretendKms {
  readonly load: KmsLoader;
  /** Calls in order, by the vendor's name. */
  readonly calls: string[];
  /** From now on every call fails as for a caller without permission. */
  deny(): void;
  /** A key under the same name with other material. */
  replaceKeys(): void;
  /** Answers signatures of something else. */
  forge(): void;
}

export const awsSigningKey = "arn:aws:kms:eu-central-1:111122223333:key/0e6f3c3a-1111-4222-8333-444455556666";
export const awsWrappingKey = "arn:aws:kms:eu-central-1:111122223333:key/7b1d2c3a-1111-4222-8333-444455556666";
export const gcpSigningKey = "projects/p/locations/europe-west3/keyRings/r/cryptoKeys/log/cryptoKeyVersions/1";
export const gcpWrappingKey = "projects/p/locations/europe-west3/keyRings/r/cryptoKeys/root";
export const azureKey = "https://vault.vault.azure.net/keys/root";
const azureVersion = `${azureKey}/78deebed173b48e48f55abf87ed4cf71`;

interface Material {
  readonly ed25519: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  readonly aes: Buffer;
  readonly rsa: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
}

/** An RSA key takes a while to find: only for who asks. */
function newMaterial(): Material {
  let rsa: Material["rsa"] | undefined;
  return {
    ed25519: generateKeyPairSync("ed25519"),
    aes: randomBytes(32),
    get rsa() {
      rsa ??= generateKeyPairSync("rsa", { modulusLength: 2048 });
      return rsa;
    },
  };
}

function encrypt(key: Buffer, plaintext: Uint8Array, aad: string): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(aad));
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: Buffer, sealed: Uint8Array, aad: string): Buffer {
  const cipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, 12)).setAAD(Buffer.from(aad)).setAuthTag(sealed.subarray(-16));
  return Buffer.concat([cipher.update(sealed.subarray(12, -16)), cipher.final()]);
}

class ServiceError extends Error {
  constructor(name: string) {
    super(`${name}: account 111122223333 may not`);
    this.name = name;
  }
}

interface State {
  material: Material;
  denied: boolean;
  forging: boolean;
  readonly calls: string[];
}

/** The rules of the operations, as their references state them. */
function awsPackage(state: State): object {
  class Command {
    readonly input: Record<string, unknown>;
    constructor(input: Record<string, unknown>) {
      this.input = input;
    }
  }
  class SignCommand extends Command {}
  class GetPublicKeyCommand extends Command {}
  class EncryptCommand extends Command {}
  class DecryptCommand extends Command {}
  const refuse = (): never => {
    throw new ServiceError("ValidationException");
  };
  const bytes = (value: unknown): Uint8Array => (value instanceof Uint8Array ? value : refuse());
  const context = ({ EncryptionContext }: Record<string, unknown>): string => JSON.stringify(EncryptionContext);
  const run = (command: Command): object => {
    const { input } = command;
    if (command instanceof GetPublicKeyCommand) {
      if (input["KeyId"] !== awsSigningKey) return { KeyId: input["KeyId"], KeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY", PublicKey: new Uint8Array(state.material.rsa.publicKey.export({ format: "der", type: "spki" })) };
      const PublicKey = new Uint8Array(state.material.ed25519.publicKey.export({ format: "der", type: "spki" }));
      return { KeyId: awsSigningKey, KeySpec: "ECC_NIST_EDWARDS25519", KeyUsage: "SIGN_VERIFY", SigningAlgorithms: ["ED25519_SHA_512", "ED25519_PH_SHA_512"], PublicKey };
    }
    if (command instanceof SignCommand) {
      const message = bytes(input["Message"]);
      if (input["KeyId"] !== awsSigningKey || input["SigningAlgorithm"] !== "ED25519_SHA_512" || input["MessageType"] !== "RAW" || message.length > 4096) refuse();
      return { KeyId: awsSigningKey, SigningAlgorithm: "ED25519_SHA_512", Signature: new Uint8Array(sign(null, state.forging ? Buffer.from("x") : message, state.material.ed25519.privateKey)) };
    }
    if (command instanceof EncryptCommand) return { KeyId: awsWrappingKey, EncryptionAlgorithm: "SYMMETRIC_DEFAULT", CiphertextBlob: new Uint8Array(encrypt(state.material.aes, bytes(input["Plaintext"]), context(input))) };
    if (command instanceof DecryptCommand) return { KeyId: awsWrappingKey, EncryptionAlgorithm: "SYMMETRIC_DEFAULT", Plaintext: new Uint8Array(decrypt(state.material.aes, bytes(input["CiphertextBlob"]), context(input))) };
    return refuse();
  };
  class KMSClient {
    readonly region: unknown;
    constructor(configuration: Record<string, unknown>) {
      this.region = configuration["region"];
    }
    async send(command: Command): Promise<object> {
      state.calls.push(`${command.constructor.name} ${String(this.region)}`);
      if (state.denied) throw new ServiceError("AccessDeniedException");
      return { $metadata: { httpStatusCode: 200 }, ...run(command) };
    }
  }
  return { KMSClient, SignCommand, GetPublicKeyCommand, EncryptCommand, DecryptCommand };
}

function gcpPackage(state: State): object {
  const answer = async (name: string, run: () => object): Promise<readonly unknown[]> => {
    state.calls.push(name);
    if (state.denied) throw Object.assign(new Error("7 PERMISSION_DENIED: account 111122223333 may not"), { code: 7 });
    return [run(), undefined, undefined];
  };
  class KeyManagementServiceClient {
    getPublicKey(request: { readonly name: string }): Promise<readonly unknown[]> {
      return answer("getPublicKey", () => ({ name: request.name, algorithm: "EC_SIGN_ED25519", pem: (request.name === gcpSigningKey ? state.material.ed25519 : state.material.rsa).publicKey.export({ format: "pem", type: "spki" }) }));
    }
    asymmetricSign(request: { readonly name: string; readonly data?: Uint8Array; readonly digest?: unknown }): Promise<readonly unknown[]> {
      return answer("asymmetricSign", () => {
        if (request.name !== gcpSigningKey || request.data === undefined || request.digest !== undefined) throw new Error("3 INVALID_ARGUMENT");
        return { name: request.name, signature: sign(null, state.forging ? Buffer.from("x") : request.data, state.material.ed25519.privateKey), verifiedDataCrc32c: false };
      });
    }
    encrypt(request: { readonly name: string; readonly plaintext: Uint8Array; readonly additionalAuthenticatedData: Uint8Array }): Promise<readonly unknown[]> {
      return answer("encrypt", () => ({ name: `${request.name}/cryptoKeyVersions/1`, ciphertext: encrypt(state.material.aes, request.plaintext, hash("sha256", request.additionalAuthenticatedData, "hex")) }));
    }
    decrypt(request: { readonly name: string; readonly ciphertext: Uint8Array; readonly additionalAuthenticatedData: Uint8Array }): Promise<readonly unknown[]> {
      return answer("decrypt", () => ({ plaintext: decrypt(state.material.aes, request.ciphertext, hash("sha256", request.additionalAuthenticatedData, "hex")), usedPrimary: true }));
    }
  }
  return { KeyManagementServiceClient };
}

function azurePackage(state: State): object {
  const oaep = (key: KeyObject) => ({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" });
  class CryptographyClient {
    readonly id: string;
    constructor(id: string, credential: object) {
      if (credential.constructor.name !== "DefaultAzureCredential") throw new Error("no credential");
      this.id = id;
    }
    async wrapKey(algorithm: string, key: Uint8Array): Promise<object> {
      this.#admit("wrapKey", algorithm);
      return { result: new Uint8Array(publicEncrypt(oaep(state.material.rsa.publicKey), key)), algorithm, keyID: azureVersion };
    }
    async unwrapKey(algorithm: string, wrapped: Uint8Array): Promise<object> {
      this.#admit("unwrapKey", algorithm);
      return { result: new Uint8Array(privateDecrypt(oaep(state.material.rsa.privateKey), wrapped)), algorithm, keyID: azureVersion };
    }
    #admit(name: string, algorithm: string): void {
      state.calls.push(`${name} ${this.id}`);
      if (state.denied) throw new ServiceError("RestError");
      if (algorithm !== "RSA-OAEP-256") throw new Error("BadParameter");
    }
  }
  return { CryptographyClient };
}

class DefaultAzureCredential {
  async getToken(): Promise<object> {
    return { token: "none", expiresOnTimestamp: 0 };
  }
}

export function pretendKms(): PretendKms {
  const state: State = { material: newMaterial(), denied: false, forging: false, calls: [] };
  const packages: Readonly<Record<string, object>> = {
    "@aws-sdk/client-kms": awsPackage(state),
    "@google-cloud/kms": gcpPackage(state),
    "@azure/keyvault-keys": azurePackage(state),
    "@azure/identity": { DefaultAzureCredential },
  };
  return {
    load: async (name) => packages[name] ?? Promise.reject(new Error(`no ${name}`)),
    calls: state.calls,
    deny: () => {
      state.denied = true;
    },
    replaceKeys: () => {
      state.material = newMaterial();
    },
    forge: () => {
      state.forging = true;
    },
  };
}
