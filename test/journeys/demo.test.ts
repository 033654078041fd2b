import { beforeAll, expect, it } from "vitest";
import { join } from "node:path";
import { existsSync } from "node:fs";
import { buildProduct, licet } from "./support/run.ts";
import { freePort, temporaryFolder } from "./support/server.ts";

beforeAll(buildProduct);

it("the demo tells the whole story on two pilots and ends by itself", async () => {
  const temporary = temporaryFolder();
  try {
    const folder = join(temporary.path, "demo");
    const ports = ["--port", String(await freePort()), "--data-port", String(await freePort())];
    const ran = await licet(["demo", "--exit", "--dir", folder, ...ports], { timeoutMs: 120_000 });
    expect(ran).toMatchObject({ code: 0, err: "" });
    const [, cast = "", helpdesk = "", tumour = "", proof = "", look = ""] = ran.out.split(/^== /mu).slice(1);
    expect(cast).toContain("sole operator");

    expect(helpdesk).toContain("tier minimal");
    expect(helpdesk).toContain("nobody had to be waited for");
    for (const code of ["credential_invalid", "data_outside_boundary", "release_mismatch", "held"]) expect(helpdesk).toContain(`refused: ${code}`);
    expect(helpdesk).toMatch(/✓ decision: dec_\w+/u);

    expect(tumour).toContain("tier high");
    expect(tumour).toMatch(/texture-odds: insufficient evidence/u);
    expect(tumour).toMatch(/✓ texture-opportunity: pass/u);
    expect(tumour.match(/approved as risk owner/gu)).toHaveLength(2);
    expect(tumour.match(/approved as authorizing official: granted/gu)).toHaveLength(2);
    expect(tumour).toContain("refused to score");
    expect(tumour).toMatch(/production: \d+ of \d+ requirements unmet[\s\S]*this version of Licet/u);

    expect(proof).toMatch(/\bverified\n/u);
    expect(proof).toContain("NOT WITNESSED");
    expect(proof).toMatch(/✗ exit 1: FAIL +\w+\[\w+\]/u);

    // A server that has stopped is nothing to sign in to.
    expect(look).toBe("");
    expect(existsSync(join(folder, "data", "format.json"))).toBe(true);
    expect(ran.out).not.toContain("undefined");
  } finally {
    temporary.remove();
  }
});
