import { decide } from "@licet/assurance";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exampleManifest } from "../../packages/licet/src/inventory/example-manifest.ts";
import { alphaOf, attempting, leaseMs, params, table, type Attempting, type Ticket } from "./attempts-world.ts";

/** More missing than the limit allows, and less: the rows of `before` miss none. */
const bad = (mark: string) => table(55, mark);
const good = (mark: string) => table(2, mark);

let world: Attempting;
beforeAll(async () => {
  world = await attempting();
});
afterAll(() => world.close());

const planOf = ({ attempts }: Ticket) => attempts.map(({ check, index, alpha, previous, repeats }) => ({ check, index, alpha, previous: previous.length, repeats }));
const standing = async (release: string, id = "drift") => (await world.client("showChecks", { params, query: { release } })).checks.find(({ declared }) => declared.id === id);

describe("attempts on one subject", () => {
  const releases: string[] = [];
  let first: string;

  test("the first is judged at its part of alpha, said before anything runs, and stands so in the record", async () => {
    const release = await world.push({ today: bad("1") });
    releases.push(release);
    const ticket = await world.ticket(release);
    expect(planOf(ticket)).toEqual([{ check: "drift", index: 1, alpha: alphaOf(1), previous: 0, repeats: null }]);
    expect(ticket.alpha).toBe(0.05);
    const entry = world.installation.entries.findLast(({ kind }) => kind === "ticket.issued");
    expect(entry?.body).toMatchObject({ attempts: [{ check: "drift", kind: "drift.missing", index: 1, alpha: alphaOf(1) }] });
    expect(await world.back(ticket, await world.results(release, ticket))).toBe("fail");
    const result = (await standing(release))?.result;
    expect(result).toMatchObject({ attempt: 1, figures: { limit: { alpha: alphaOf(1) }, attempt: { index: 1, alphaSpent: alphaOf(1), previous: [] }, reuse: [{ id: "today", uses: 1 }] } });
    expect(result?.figures.interval?.level).toBeCloseTo(1 - alphaOf(1), 11);
    first = result?.id ?? "";
  });

  test("the same data are not judged again: the verdict stands, nothing is spent, and it does not become a better one", async () => {
    const ticket = await world.ticket(releases[0] ?? "");
    expect(ticket).toMatchObject({ checks: [], attempts: [], status: "returned", settled: [{ id: first, verdict: "fail" }] });
    expect(await standing(releases[0] ?? "")).toMatchObject({ standing: "fail", results: 1 });
  });

  test("the next release with the same subject, data and configuration has the verdict too, and says from where", async () => {
    const release = await world.push({ today: bad("1") }, { purpose: "another purpose, on the same data" });
    const ticket = await world.ticket(release);
    expect(ticket).toMatchObject({ checks: [], settled: [{ verdict: "fail", release, checkId: "drift" }] });
    expect(await standing(release)).toMatchObject({ standing: "fail", result: { carriedFrom: first, attempt: 1, producer: "self" } });
  });

  test("new data are the next attempt, whose alpha is smaller, after a fail", async () => {
    const release = await world.push({ today: good("2") });
    releases.push(release);
    const ticket = await world.ticket(release);
    expect(ticket.attempts).toMatchObject([{ index: 2, alpha: alphaOf(2), previous: [first] }]);
    const results = await world.results(release, ticket);
    const other = results.map((result) => ({ ...result, limit: { ...result.limit, alpha: alphaOf(1) }, attempt: { ...result.attempt, alphaSpent: alphaOf(1) } }));
    expect(await world.back(ticket, other)).toBe("result_inconsistent");
    expect(await world.back(ticket, results)).toBe("pass");
    expect((await standing(release))?.result?.figures).toMatchObject({ attempt: { index: 2, previous: [first] }, limit: { alpha: alphaOf(2) } });
  });

  test("an attempt that never came back counts, also on the same data", async () => {
    const release = await world.push({ today: good("3") });
    releases.push(release);
    const aborted = await world.ticket(release);
    expect(planOf(aborted)).toMatchObject([{ index: 3 }]);
    world.clock.advance(leaseMs);
    const ticket = await world.ticket(release);
    expect(ticket.attempts).toMatchObject([{ index: 4, alpha: alphaOf(4), previous: [first, expect.stringMatching(/^chk_/u), aborted.id] }]);
    expect(await world.back(aborted, await world.results(release, aborted))).toBe("ticket_spent");
    expect(await world.back(ticket, await world.results(release, ticket))).toBe("pass");
  });

  test("another id does not make it another check: the verdict stands under the new one, and the next attempt is the next", async () => {
    const renamed = await world.push({ today: bad("1") }, { id: "renamed" });
    expect(await world.ticket(renamed)).toMatchObject({ checks: [], settled: [{ checkId: "renamed", verdict: "fail" }] });
    expect(await standing(renamed, "renamed")).toMatchObject({ standing: "fail", result: { carriedFrom: first } });
    const release = await world.push({ today: good("4") }, { id: "again" });
    expect(planOf(await world.whole(release))).toEqual([{ check: "again", index: 5, alpha: alphaOf(5), previous: 4, repeats: null }]);
  });

  test("another limit, or another producer with new data, is the next attempt too", async () => {
    const { check, dataset, reference } = { check: "drift.missing" as const, dataset: "today", reference: "before" };
    const weaker = await world.push({ today: bad("1") }, { checks: [{ check, id: "drift", dataset, reference, max: 0.97 }] });
    expect(planOf(await world.whole(weaker))).toMatchObject([{ index: 6 }]);
    const release = await world.push({ today: good("5") });
    const { ticket } = await world.onServer(release);
    expect(planOf(ticket)).toMatchObject([{ index: 7, alpha: alphaOf(7), previous: 6 }]);
  });

  test("another producer on the same data makes the result again: same seed, same alpha, nothing spent, and it counts as theirs", async () => {
    const release = releases[1] ?? "";
    const { ticket, items } = await world.onServer(release);
    expect(ticket.attempts).toMatchObject([{ index: 2, alpha: alphaOf(2), repeats: expect.stringMatching(/^chk_/u) }]);
    expect(items).toMatchObject([{ verdict: "pass", producer: "licet" }]);
    expect(await standing(release)).toMatchObject({ standing: "pass", result: { repeats: [{ drawn: false, agrees: true }] } });
    expect(await world.onServer(release)).toMatchObject({ ticket: { checks: [], settled: [{ producer: "licet" }] } });
    expect((await world.ticket(release)).checks).toEqual([]);
    const next = await world.push({ today: good("6") });
    expect(planOf(await world.whole(next))).toMatchObject([{ index: 8 }]);
  });

  test("another subject begins at the first again", async () => {
    const release = await world.push({ today: good("6"), before: table(1, "other") });
    expect(planOf(await world.whole(release))).toEqual([{ check: "drift", index: 1, alpha: alphaOf(1), previous: 0, repeats: null }]);
  });
});

const steps = ["same", "new", "abort", "rename", "reconfigure", "server", "server-new"] as const;
type Step = (typeof steps)[number];

const brings: ReadonlySet<Step> = new Set(["new", "server-new", "abort"]);

/** One person's way through a subject: which attempts every step reserved. */
async function walk(before: string, taken: readonly Step[]): Promise<readonly { readonly step: Step; readonly attempts: Ticket["attempts"] }[]> {
  const way: { readonly step: Step; readonly attempts: Ticket["attempts"] }[] = [];
  let [data, renamed, reconfigured] = [0, 0, 0];
  for (const step of taken) {
    data += Number(brings.has(step));
    renamed += Number(step === "rename");
    reconfigured += Number(step === "reconfigure");
    const check = { check: "drift.missing", id: `drift-${String(renamed)}`, dataset: "today", reference: "before", max: Number((0.5 - reconfigured / 1000).toFixed(3)) } as const;
    const release = await world.push({ today: good(String(data)), before }, { checks: [check] });
    if (step.startsWith("server")) way.push({ step, attempts: (await world.onServer(release)).ticket.attempts });
    else way.push({ step, attempts: (await (step === "abort" ? world.ticket(release) : world.whole(release))).attempts });
  }
  return way;
}

test("whatever somebody does in whatever order, no attempt on a subject is numbered lower than one before, and all of them spend at most alpha", async () => {
  let subject = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...steps), { minLength: 2, maxLength: 7 }), async (taken) => {
      subject += 1;
      const way = await walk(table(0, `subject-${String(subject)}`), ["new", ...taken]);
      const spent = way.flatMap(({ attempts }) => attempts.filter(({ repeats }) => repeats === null));
      expect(spent.map(({ index, previous, alpha }) => [index, previous.length, alpha])).toEqual(spent.map((_, at) => [at + 1, at, alphaOf(at + 1)]));
      expect(spent.reduce((sum, { alpha }) => sum + alpha, 0)).toBeLessThan(0.05);
      // New data never go without an attempt.
      expect(way.filter(({ step, attempts }) => brings.has(step) && attempts.length !== 1)).toEqual([]);
    }),
    { numRuns: Number(process.env["LICET_ATTEMPT_RUNS"] ?? 4) },
  );
}, 120_000);

describe("a ticket of many checks", () => {
  test("counts each kind of check for itself, and each data set of a kind; one data set in several configurations is one attempt", async () => {
    const on = (id: string, more: object = {}) => ({ check: "drift.missing", id, dataset: "today", reference: "before", max: 0.5, ...more }) as const;
    const release = await world.push(
      { today: good("many"), before: table(2, "many") },
      { checks: [{ ...on("advised"), columns: ["b"], advisory: true }, on("whole"), { ...on("first"), columns: ["a"] }, { check: "drift.categorical", id: "other", dataset: "today", reference: "before", max: 0.9 }, { check: "data.missing", id: "table", dataset: "today", max: 0.5 }] },
    );
    const { attempts } = await world.ticket(release);
    expect(attempts.map(({ check, index }) => [check, index])).toEqual([["advised", 1], ["whole", 1], ["first", 1], ["other", 1], ["table", 1]]);
  });

  test("takes the declared alpha as the whole", async () => {
    const release = await world.push({ today: good("alpha"), before: table(3, "alpha") }, { alpha: 0.01 });
    const ticket = await world.ticket(release);
    expect(ticket).toMatchObject({ alpha: 0.01, attempts: [{ index: 1, alpha: alphaOf(1, 0.01) }] });
    expect(await world.back(ticket, await world.results(release, ticket))).toBe("pass");
  });

  test("reserves the next attempt for data that only the runner will know, each time", async () => {
    const check = { check: "llm.leak.system", id: "leak" } as const;
    const model = exampleManifest.components.models[0]?.name ?? "";
    const release = await world.push({ today: good("llm"), before: table(3, "llm") }, { checks: [{ ...check, model }, { ...check, id: "again", model, prompts: 10 }] });
    const [one, two] = [await world.ticket(release), await world.ticket(release)];
    expect(one.attempts).toMatchObject([{ check: "leak", data: null, index: 1 }, { check: "again", data: null, index: 2, previous: [one.id] }]);
    expect(two.attempts).toMatchObject([{ index: 3, previous: [one.id, one.id] }, { index: 4 }]);
  });
});

describe("figures that another run does not come to", () => {
  test("make neither result count: it is disputed at the gate, both are in the record, and the way on is the next attempt", async () => {
    const release = await world.push({ today: good("lie"), before: table(0, "lie") });
    const ticket = await world.ticket(release);
    // Consistent in themselves, of the declared check, and untrue of these files.
    const honest = await world.results(release, ticket);
    const text = JSON.stringify(honest).replaceAll('"events":2', '"events":0');
    expect(text).not.toBe(JSON.stringify(honest));
    const forged = (JSON.parse(text) as typeof honest).map((result) => ({ ...result, ...decide(result.basis, result.limit, result.counts) }));
    expect(await world.back(ticket, forged)).toBe("pass");
    await world.onServer(release);
    expect(await standing(release)).toMatchObject({ standing: "disputed", result: { producer: "licet", counts: false, repeats: [{ agrees: false, differences: [expect.stringContaining("was reported")] }] } });
    const next = await world.onServer(release);
    expect(next.ticket.attempts).toMatchObject([{ index: 2, repeats: null }]);
    expect(await standing(release)).toMatchObject({ standing: "pass" });
  });
});

describe("a data set that has judged often", () => {
  test("is counted over releases, aborted attempts too, and people are told above twenty", async () => {
    const today = good("worn");
    const subjects = [table(0, "worn"), table(1, "worn")];
    for (const before of subjects) {
      const release = await world.push({ today, before });
      for (let times = 0; times < 10; times += 1) await world.ticket(release);
    }
    const release = await world.push({ today, before: table(4, "worn") });
    expect((await world.client("showChecks", { params, query: { release } })).reuse).toMatchObject([{ id: "before", uses: 0 }, { id: "today", uses: 20 }]);
    const { reuse } = await world.ticket(release);
    expect(reuse.find(({ id }) => id === "today")?.uses).toBe(21);
  });
});
