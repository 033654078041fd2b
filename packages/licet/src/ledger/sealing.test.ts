import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canonicalize, openPayload, parseLeaf } from "@licet/evidence";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { manualClock } from "../base/clock.ts";
import type { Entry, JsonObject } from "./entry.ts";
import { type Keyring, openKeyring } from "./keyring.ts";
import { openKeys } from "./keys.ts";
import { discloseFrame, openEntry, sealEntry } from "./sealing.ts";

let directory = "";
let keyring: Keyring;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "licet-sealing-"));
  const keys = await openKeys({ directory, fresh: true, now: 0 });
  keyring = await openKeyring({ directory, root: keys.root, clock: manualClock(0) });
});
afterAll(async () => {
  await keyring.close();
  await rm(directory, { recursive: true, force: true });
});

const entry: Entry = {
  id: "ent_01", v: 3, time: 1_790_000_000_000, kind: "gateway.decision", space: "main", actor: "per_ada", system: "Tumour classifier",
  subject: "system:Tumour classifier", class: "runtime", body: { reason: "asked by ada@example.org" }, gateway: "gw-1", seq: 9,
};

const names = fc.stringMatching(/^[\p{L}\p{N}_.:/@-]{1,30}$/u);
const drafts = fc.record({
  id: names,
  kind: names,
  space: names,
  gateway: fc.option(names, { nil: undefined }),
  seq: fc.option(fc.nat(), { nil: undefined }),
  system: fc.option(fc.constantFrom("a", "b c", "\u00e9\""), { nil: undefined }),
  body: fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue()),
});

test("every leaf is one that the verifier takes, and every payload opens as what was sealed", async () => {
  await fc.assert(
    fc.asyncProperty(drafts, async ({ gateway, seq, system, body, ...rest }) => {
      const more = { ...(gateway === undefined ? {} : { gateway }), ...(seq === undefined ? {} : { seq }), ...(system === undefined ? {} : { system }) };
      const draft: Entry = { v: 1, time: 5, actor: "server", subject: "space", class: "governance", ...rest, ...more, body: body as JsonObject };
      const sealed = await sealEntry(keyring, draft);
      expect(parseLeaf(sealed.frame.leaf).ok).toBe(true);
      const { text = "", ...entered } = sealed.entry;
      expect(text).toBe(canonicalize(draft.body));
      // As JSON says it: a zero has no sign there.
      expect(openEntry(keyring, sealed.frame)).toEqual({ ...entered, body: JSON.parse(text) });
      const disclosed = await openPayload(discloseFrame(keyring, sealed.frame));
      expect(disclosed).toMatchObject({ ok: true, value: { kind: draft.kind, actor: "server", system: system ?? null } });
    }),
    { numRuns: 60 },
  );
});

test("a leaf names neither person nor system, and the same ones by the same pseudonym", async () => {
  const [one, two] = [await sealEntry(keyring, entry), await sealEntry(keyring, { ...entry, id: "ent_02" })];
  const text = Buffer.from(one.frame.leaf).toString();
  const bytes = Buffer.concat([one.frame.leaf, one.frame.payload]).toString("latin1");
  for (const secret of ["ada@", "Tumour", "classifier", "asked", "example.org"]) expect(bytes).not.toContain(secret);
  const [a, b] = [JSON.parse(text), JSON.parse(Buffer.from(two.frame.leaf).toString())];
  expect([a.actor, a.system]).toEqual([b.actor, b.system]);
  expect(a.payload.digest).not.toBe(b.payload.digest);
});

describe("a payload does not open", () => {
  const opening = (frame: Parameters<typeof openEntry>[1]) => () => openEntry(keyring, frame);
  const damaged = expect.objectContaining({ code: "payload_damaged" });

  test("with any byte of it changed", async () => {
    const { frame } = await sealEntry(keyring, entry);
    for (let at = 0; at < frame.payload.length; at += 1) {
      const payload = Buffer.from(frame.payload);
      payload[at] = (payload[at] ?? 0) ^ 0x40;
      expect(opening({ leaf: frame.leaf, payload }), `byte ${at}`).toThrow(damaged);
    }
  });

  test("beside the leaf of another entry", async () => {
    const one = await sealEntry(keyring, entry);
    const two = await sealEntry(keyring, { ...entry, id: "ent_02" });
    expect(opening({ leaf: one.frame.leaf, payload: two.frame.payload })).toThrow(damaged);
  });

  test("cut short", async () => {
    const { frame } = await sealEntry(keyring, entry);
    expect(opening({ leaf: frame.leaf, payload: frame.payload.subarray(0, 40) })).toThrow(damaged);
  });

  test("left out: damage of the log while its key lives, an erasure once it is destroyed", async () => {
    const { frame, entry: sealed } = await sealEntry(keyring, { ...entry, subject: "system:left out" });
    const emptied = opening({ leaf: frame.leaf, payload: Buffer.alloc(0) });
    expect(emptied).toThrow(expect.objectContaining({ code: "log_damaged" }));
    await keyring.destroy(sealed.kid ?? "");
    expect(emptied).toThrow(expect.objectContaining({ code: "payload_erased" }));
  });
});

test("an entry whose names no verifier would take is refused before anything is written", async () => {
  for (const change of [{ kind: "a\nb" }, { space: "" }, { gateway: "x\"y" }, { subject: "system:" }, { subject: "team:x" }]) {
    expect(() => sealEntry(keyring, { ...entry, ...change })).toThrow(expect.objectContaining({ code: "invalid_request" }));
  }
});
