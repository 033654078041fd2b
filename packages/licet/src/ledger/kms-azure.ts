import { z } from "zod";
import { bytesOf, kmsAnswer, kmsCall, type KmsLoader, loadKms, type RootWrapper } from "./kms-load.ts";

type AzureCall = (algorithm: "RSA-OAEP-256", bytes: Uint8Array, options: { readonly abortSignal: AbortSignal }) => Promise<unknown>;
interface AzureClient {
  readonly wrapKey: AzureCall;
  readonly unwrapKey: AzureCall;
}
const keysModule = z.object({ CryptographyClient: z.custom<new (key: string, credential: object) => AzureClient>((value) => typeof value === "function") });
const identityModule = z.object({ DefaultAzureCredential: z.custom<new () => object>((value) => typeof value === "function") });
const answered = z.object({ result: z.unknown(), keyID: z.string().optional() });

/**
 * An RSA key of Azure Key Vault or Managed HSM, by its identifier with the version. Key Vault has no Ed25519: it wraps
 * the root key and signs nothing of Licet's.
 */
export async function azureWrapper(key: string, load?: KmsLoader): Promise<RootWrapper> {
  const [keys, identity] = await loadKms("azure-key-vault", load);
  const clients = keysModule.safeParse(keys);
  const credentials = identityModule.safeParse(identity);
  if (!clients.success || !credentials.success) throw kmsAnswer("azure-key-vault", "load its client");
  const client = new clients.data.CryptographyClient(key, new credentials.data.DefaultAzureCredential());
  return {
    wrap: async (root) => {
      const answer = answered.safeParse(await kmsCall("azure-key-vault", "wrap the root key", (abortSignal) => client.wrapKey("RSA-OAEP-256", root, { abortSignal })));
      const wrapped = bytesOf(answer.data?.result);
      if (wrapped === undefined) throw kmsAnswer("azure-key-vault", "wrap the root key");
      return { wrapped, key: answer.data?.keyID ?? key };
    },
    unwrap: async (wrapped) => {
      const answer = answered.safeParse(await kmsCall("azure-key-vault", "unwrap the root key", (abortSignal) => client.unwrapKey("RSA-OAEP-256", wrapped, { abortSignal })));
      const root = bytesOf(answer.data?.result);
      if (root === undefined) throw kmsAnswer("azure-key-vault", "unwrap the root key");
      return root;
    },
  };
}
