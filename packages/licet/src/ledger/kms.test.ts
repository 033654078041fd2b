import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { manualClock } from "../base/clock.ts";
import { signCheckpoint } from "./checkpoint.ts";
import { openKeyring } from "./keyring.ts";
import { exportKeys, importKeys, openKeys } from "./keys.ts";
import { listKeys, protectKeys } from "./keys-list.ts";
import { awsSigner } from "./kms-aws.ts";
import { awsSigningKey, awsWrappingKey, azureKey, gcpSigningKey, gcpWrappingKey, pretendKms } from "./kms-fixture.ts";
import { gcpSigner } from "./kms-gcp.ts";
import { signatureHolds } from "./signer.ts";

const now = Date.UTC(2026, 10, 1);
const clock = manualClock(now);
let directory = "";
beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), "licet-kms-")), "keys");
});
afterEach(() => rm(join(directory, ".."), { recursive: true, force: true }));

const services = [
  { kind: "aws-kms", key: awsWrappingKey, stored: awsWrappingKey },
  { kind: "gcp-kms", key: gcpWrappingKey, stored: gcpWrappingKey },
  { kind: "azure-key-vault", key: azureKey, stored: `${azureKey}/78deebed173b48e48f55abf87ed4cf71` },
] as const;

describe.each(services)("keys under $kind", ({ kind, key, stored }) => {
  test("open with the service alone, are sealed in their file, and sign and unwrap what they did before", async () => {
    const kms = pretendKms();
    const before = await openKeys({ directory, fresh: true, now });
    const ring = await openKeyring({ directory, root: before.root, clock });
    const { kid } = await ring.keyFor("main", "system:a", "runtime");
    await ring.close();
    const sealed = before.sealSecret("provider", "sk-1");
    const plain = JSON.parse(await readFile(join(directory, "keys.json"), "utf8"));
    await protectKeys(directory, { to: { kind, key }, current: { loadKms: kms.load }, now });
    const text = await readFile(join(directory, "keys.json"), "utf8");
    for (const secret of [plain.root.secret, plain.log.secret, plain.statement.secret, plain["log-mldsa"].secret, plain.secrets[0].secret]) expect(text).not.toContain(secret);
    expect(JSON.parse(text).protection).toEqual({ kind, key: stored });
    const after = await openKeys({ directory, fresh: false, now, means: { loadKms: kms.load } });
    expect(after.trustFile()).toEqual(before.trustFile());
    expect(after.openSecret("provider", sealed)).toBe("sk-1");
    const again = await openKeyring({ directory, root: after.root, clock });
    expect(again.byId(kid).subject).toBe("system:a");
    await again.close();
    expect((await listKeys(directory)).map(({ protection }) => protection)).toEqual([kind, kind, kind, kind]);
  });

  test("do not open without it, nor with another key under the name; and nothing is lost when it refuses to wrap", async () => {
    const kms = pretendKms();
    await openKeys({ directory, fresh: true, now });
    await protectKeys(directory, { to: { kind, key }, current: { loadKms: kms.load }, now });
    const missing = await openKeys({ directory, fresh: false, now, means: { loadKms: () => Promise.reject(new Error("absent")) } }).catch((error: unknown) => error);
    expect(missing).toMatchObject({ code: "kms_package_missing", message: expect.stringMatching(/npm install @/) });
    kms.replaceKeys();
    await expect(openKeys({ directory, fresh: false, now, means: { loadKms: kms.load } })).rejects.toMatchObject({ code: "kms_failed" });
    const denied = pretendKms();
    denied.deny();
    const other = join(directory, "other");
    await openKeys({ directory: other, fresh: true, now });
    const failure = await protectKeys(other, { to: { kind, key }, current: { loadKms: denied.load }, now }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "kms_failed" });
    expect(failure instanceof Error ? failure.message : "").not.toContain("111122223333");
    await expect(openKeys({ directory: other, fresh: false, now })).resolves.toMatchObject({ directory: other });
  });
});

describe.each([
  { name: "AWS KMS", open: awsSigner, key: awsSigningKey, wrong: awsWrappingKey, call: "SignCommand eu-central-1" },
  { name: "Cloud KMS", open: gcpSigner, key: gcpSigningKey, wrong: gcpWrappingKey, call: "asymmetricSign" },
])("a signer at $name", ({ open, key, wrong, call }) => {
  test("signs the message itself with Ed25519", async () => {
    const kms = pretendKms();
    const signer = await open(key, kms.load);
    const message = Buffer.from("origin\n1\nroot\n");
    expect(signatureHolds(signer, message, await signer.sign(message))).toBe(true);
    expect(kms.calls.at(-1)).toBe(call);
    const note = await signCheckpoint({ origin: "example.org/log", ...signer }, { size: 1, root: new Uint8Array(32) });
    expect(note).toMatch(/^example\.org\/log\n1\n/);
  });

  test("hands out no signature that does not fit, and takes no key of another kind", async () => {
    const kms = pretendKms();
    const signer = await open(key, kms.load);
    await expect(open(wrong, kms.load)).rejects.toMatchObject({ code: "kms_unsupported" });
    kms.forge();
    await expect(signer.sign(Buffer.from("message"))).rejects.toMatchObject({ code: "kms_failed" });
    kms.deny();
    await expect(signer.sign(Buffer.from("message"))).rejects.toMatchObject({ code: "kms_failed" });
  });
});

test("without the vendor's package the error names the command that installs it", async () => {
  await expect(awsSigner(awsSigningKey)).rejects.toMatchObject({ code: "kms_package_missing", at: { command: "npm install @aws-sdk/client-kms" } });
});

test("keys under a service leave an export that opens with its passphrase and the service, both", async () => {
  const kms = pretendKms();
  const before = await openKeys({ directory, fresh: true, now });
  await protectKeys(directory, { to: { kind: "aws-kms", key: awsWrappingKey }, current: { loadKms: kms.load }, now });
  const target = join(directory, "imported");
  await importKeys(target, await exportKeys(directory, "correct horse battery"), "correct horse battery");
  await expect(openKeys({ directory: target, fresh: false, now, means: { loadKms: () => Promise.reject(new Error("absent")) } })).rejects.toMatchObject({ code: "kms_package_missing" });
  expect((await openKeys({ directory: target, fresh: false, now, means: { loadKms: kms.load } })).trustFile()).toEqual(before.trustFile());
});
