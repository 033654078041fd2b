import { mkdirSync, rmSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, openai, request, untilAnswered, type Asked } from "./support/asking.ts";
import { buildProduct } from "./support/run.ts";
import { newPlace, startServer, startSimulator, temporaryFolder, type Server, type Simulator } from "./support/server.ts";
import { allDecisions, pilotOf, smallCast, workingCopy } from "./support/story.ts";

const system = "helpdesk-assistant";
const space = "main";
const temporary = temporaryFolder();
const root = temporary.path;
let simulator: Simulator;

beforeAll(async () => {
  buildProduct();
  simulator = await startSimulator();
});

afterAll(async () => {
  temporary.remove();
  await simulator.signal("SIGTERM");
});

const probe = join(root, "probe");
mkdirSync(probe);
/** Only root may mount, and not in every container. */
const mountable = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "none", probe]).status === 0;
if (mountable) spawnSync("umount", [probe]);

describe.skipIf(!mountable)("a full disk (skipped where no tmpfs can be mounted)", () => {
  const folder = join(root, "full");
  const disk = join(folder, "disk");
  let server: Server;

  beforeAll(() => {
    mkdirSync(disk, { recursive: true });
    spawnSync("mount", ["-t", "tmpfs", "-o", "size=16m", "none", disk]);
  });

  afterAll(async () => {
    await server.signal("SIGKILL");
    spawnSync("umount", [disk]);
  });

  it("calls are denied and nothing reaches the provider; with space again and a restart everything goes on", async () => {
    const place = { ...(await newPlace(folder)), dir: join(disk, "data") };
    server = await startServer(place);
    const cast = await smallCast(server, folder, simulator);
    const copy = workingCopy(folder, system);
    const credential = await pilotOf(cast.team, copy);
    const asking = { dataUrl: server.dataUrl, credential, folder: copy };
    await untilAnswered(asking);

    spawnSync("dd", ["if=/dev/zero", `of=${join(disk, "filler")}`, "bs=64k"]);
    const acknowledged: string[] = [];
    let refused: Asked | undefined;
    for (let round = 0; round < 400 && refused === undefined; round++) {
      const answers = await Promise.all(Array.from({ length: 16 }, () => ask({ ...asking, model: "undeclared" })));
      for (const asked of answers) {
        if (asked.kind === "refused" && asked.refused.code === "model_undeclared") acknowledged.push(asked.refused.decision);
        else refused = asked;
      }
    }
    expect(refused).toMatchObject({ kind: "refused", refused: { status: 503, code: "evidence_unavailable" } });
    const before = await simulator.requests();
    for (let call = 0; call < 5; call++) expect(await ask(asking)).toMatchObject({ kind: "refused", refused: { status: 503 } });
    await expect(openai(asking).chat.completions.create({ ...request(asking), stream: true })).rejects.toMatchObject({ status: 503 });
    expect(await simulator.requests()).toBe(before);
    const moved = await cast.risk.licet("hold", "place", "--all", "--reason", "the disk is full");
    expect(moved).toMatchObject({ err: expect.stringMatching(/error\[(disk_full|log_poisoned|log_unavailable)\]/u) });
    expect(moved.code).not.toBe(0);

    rmSync(join(disk, "filler"));
    await server.signal("SIGTERM");
    server = await startServer(place);
    await untilAnswered(asking);
    const known = new Set((await allDecisions(cast)).map((decision) => decision.id));
    expect(acknowledged.filter((id) => !known.has(id))).toEqual([]);
    expect((await cast.team.client("listHolds", { params: { space }, query: {} })).items).toEqual([]);
  });
});
