import { createHash } from "node:crypto";
import { join } from "node:path";
import { systemClock } from "../../../packages/licet/src/base/clock.ts";
import { createGateway } from "../../../packages/licet/src/gateway/serve.ts";
import { snapshotHolder, type DeploymentView } from "../../../packages/licet/src/gateway/snapshot.ts";
import { nodeFiles } from "../../../packages/licet/src/ledger/files.ts";
import { complaints, publishedComplaints } from "../../../packages/licet/src/ledger/log-fixture.ts";
import { builtinBundle } from "../../../packages/licet/src/policy/bundle.ts";
import { createDecider } from "../../../packages/licet/src/policy/decide.ts";
import { openRecordKeeping, type RecordKeeping } from "../../../packages/licet/src/server/record-keeping.ts";
import { endlessly, pause, type Finding, type Place, type Seen, type Subject, type Tell } from "./subject.ts";

export const credential = "lic_power_0123456789";
export const prompt = "You answer questions of our staff.";
export const callPath = "/openai/v1/chat/completions";
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const day = 86_400_000;

function deployment(): DeploymentView {
  const standing = { release: `sha256:${"a".repeat(64)}`, stage: "pilot", environment: "local" };
  return {
    id: "dep_power",
    space: "main",
    system: "power",
    active: true,
    tier: "minimal",
    ...standing,
    models: [{ name: "chat", provider: "upstream", model: "power", bounds: {} }],
    prompts: [{ name: "system", role: "system", digest: `sha256:${sha256(prompt)}` }],
    tools: [],
    boundary: { classes: ["public", "internal"], regions: ["eu"] },
    ato: { id: "ato_power", state: "granted", notBefore: 0, notAfter: Date.now() + day, entry: "ent_power", ...standing },
  };
}

const open = (directory: string): Promise<RecordKeeping> => openRecordKeeping({ directory: join(directory, "data"), keysDirectory: join(directory, "keys"), clock: systemClock });

/** The server's own record, policies and gateway on a socket; only the standing is made up. */
async function work({ directory, upstream }: Place, tell: Tell): Promise<void> {
  const record = await open(directory);
  const decider = createDecider(builtinBundle());
  const snapshots = snapshotHolder(systemClock);
  snapshots.publish({
    version: 1,
    credentials: [{ id: "cred_power", space: "main", digest: sha256(credential), expiresAt: Date.now() + day, revokedAt: null, deployment: deployment() }],
    spaces: [
      {
        space: "main",
        holds: [],
        providers: [{ id: "upstream", baseUrl: `${upstream}/v1`, region: "eu", vendor: "power", keyRef: "main/upstream", allow: ["loopback"] }],
        policyBundle: { digest: decider.bundle.digest, decide: async (request) => decider.decide({ ...request }) },
      },
    ],
  });
  setInterval(() => snapshots.renew(1), 100);
  const gateway = createGateway({ clock: systemClock, ledger: record.recorder, snapshots, providerKey: async () => "key", gateway: `gw_${process.pid}` });
  tell.ready(await gateway.listen({ host: "127.0.0.1", port: 0 }));
  await endlessly(1, async () => {
    tell.checkpoint(await record.log.publish());
    await pause(20);
  });
  await pause(60_000);
}

async function check(directory: string, { acknowledged, checkpoints }: Seen): Promise<Finding> {
  const log = join(directory, "data", "log");
  const wrong = [...(await publishedComplaints(nodeFiles, log))];
  const record = await open(directory);
  try {
    await record.recorder.settle();
    const decisions = await record.database.read.selectFrom("decision").select("id").where("space", "=", "main").execute();
    const known = new Set(decisions.map(({ id }) => id));
    const lost = acknowledged.filter(([key, id]) => key === "decision" && !known.has(id)).map(([, id]) => id);
    const received = acknowledged.filter(([key]) => key === "upstream").length;
    if (known.size < received) wrong.push(`the provider received ${received} calls, and only ${known.size} decisions are on record`);
    wrong.push(...(await complaints(record.log, checkpoints)));
    return { lost, wrong };
  } finally {
    await record.close();
  }
}

export const gatewaySubject: Subject = { name: "server: record, policies and gateway under calls", work, check };
