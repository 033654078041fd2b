import { afterEach, describe, expect, test } from "vitest";
import { manualClock } from "../base/clock.ts";
import type { Bundle } from "./bundle-form.ts";
import { uncheckedBundle } from "./bundle-fixture.ts";
import { createDecider, isDistrusted, type Decider } from "./decide.ts";
import type { PolicyRequest } from "./request.ts";
import { decideSampled, Sampler, type PolicyMismatch, type SamplingOptions } from "./sampling.ts";

const schema = `entity U { n: Long }; action go appliesTo { principal: U, resource: U, context: {} };`;
const u = { type: "U", id: "u" };
const request: PolicyRequest = { principal: u, action: { type: "Action", id: "go" }, resource: u, context: {}, entities: [{ uid: u, attrs: { n: 1 }, parents: [] }] };

/** Each test has a bundle of its own, because distrust lasts as long as the process. */
function bundleOf(name: string): Bundle {
  return uncheckedBundle({ schema, texts: [`@id("${name}.all") permit (principal, action, resource); @id("${name}.two") forbid (principal, action, resource) unless { principal has n && principal.n != 2 };`] });
}

const opened: Sampler[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((sampler) => sampler.close()));
});

function sampling(options: Partial<SamplingOptions> = {}): { readonly sampler: Sampler; readonly found: PolicyMismatch[]; readonly failures: unknown[]; readonly next: () => Promise<PolicyMismatch> } {
  const found: PolicyMismatch[] = [];
  const failures: unknown[] = [];
  let tell: (mismatch: PolicyMismatch) => void = () => undefined;
  const first = new Promise<PolicyMismatch>((resolve) => {
    tell = resolve;
  });
  const onMismatch = (mismatch: PolicyMismatch) => {
    found.push(mismatch);
    tell(mismatch);
  };
  const sampler = new Sampler({ clock: manualClock(5000), share: 1, onFailure: (error) => failures.push(error), ...options, onMismatch });
  opened.push(sampler);
  return { sampler, found, failures, next: () => first };
}

/** An evaluator that is wrong: it allows whatever it is asked. */
function wrong(bundle: Bundle): Decider {
  const right = createDecider(bundle);
  return { ...right, decide: () => ({ decision: "allow", reasons: [], errors: [], warnings: [], shadowed: [], advisoryErrors: [] }) };
}

describe("decisions that are made again by cedar-wasm", () => {
  test("raise an alert where they differ, and from then on cedar-wasm decides", async () => {
    const bundle = bundleOf("wrong");
    const { sampler, next, found } = sampling();
    const asked = { decider: wrong(bundle), sampler, space: "main" };
    const denied = { ...request, entities: [{ uid: u, attrs: { n: 2 }, parents: [] }] };
    expect((await decideSampled(asked, denied)).decision).toBe("allow");
    expect(await next()).toMatchObject({ space: "main", policyDigest: bundle.digest, ours: { decision: "allow" }, theirs: { decision: "deny", reasons: ["wrong.two"] }, at: 5000 });
    expect((await next()).requestDigest).toMatch(/^sha256:[0-9a-f]{64}$/u);
    expect(isDistrusted(bundle.digest)).toBe(true);
    expect(await decideSampled(asked, denied)).toMatchObject({ decision: "deny", reasons: [{ policy: "wrong.two" }] });
    expect((await decideSampled(asked, request)).decision).toBe("allow");
    expect(createDecider(bundle).decide(denied).decision).toBe("deny");
    expect(found.length).toBe(1);
  });

  test("raise none where they agree, and the bundle stays trusted", async () => {
    const bundle = bundleOf("right");
    const { sampler, found, failures } = sampling();
    const asked = { decider: createDecider(bundle), sampler, space: "main" };
    for (let n = 0; n < 10; n++) await decideSampled(asked, { ...request, entities: [{ uid: u, attrs: { n }, parents: [] }] });
    expect(await sampler.decide(bundle, request)).toMatchObject({ decision: "allow" });
    expect({ found, failures, distrusted: isDistrusted(bundle.digest) }).toEqual({ found: [], failures: [], distrusted: false });
  });

  test("are a share of all, and never more a second than the bound", async () => {
    const bundle = bundleOf("share");
    const clock = manualClock(5000);
    let draws = 0;
    const { sampler, found } = sampling({ clock, share: 0.5, perSecondMax: 2, random: () => (draws++ % 2 === 0 ? 0.1 : 0.9) });
    const denied = { ...request, entities: [{ uid: u, attrs: { n: 2 }, parents: [] }] };
    const offer = () => sampler.offer({ space: "main", bundle, request: denied, decision: wrong(bundle).decide(denied) });
    for (let n = 0; n < 9; n++) offer(); // five are drawn, two of them are taken
    await sampler.decide(bundle, request);
    expect(found.length).toBe(2);
    clock.advance(1000);
    for (let n = 0; n < 2; n++) offer(); // one is drawn
    await sampler.decide(bundle, request);
    expect(found.length).toBe(3);
  });

  test("that cannot be judged leave the decision as it stands and say so; the next is judged by a new thread", async () => {
    const bundle = bundleOf("lost");
    const { sampler, failures, found } = sampling();
    const broken: Bundle = { ...bundle, digest: `${bundle.digest}x`, schema: "no schema" };
    expect(await sampler.decide(broken, request)).toMatchObject({ decision: "deny", errors: [{ policy: "engine" }] });
    expect(failures.length).toBe(1);
    expect(await sampler.decide(bundle, request)).toMatchObject({ decision: "allow" });
    expect(found).toEqual([]);
  });

  test("are dropped while too many wait", async () => {
    const bundle = bundleOf("queue");
    const { sampler, found } = sampling({ queueMax: 3, perSecondMax: 1000 });
    const denied = { ...request, entities: [{ uid: u, attrs: { n: 2 }, parents: [] }] };
    for (let i = 0; i < 100; i++) sampler.offer({ space: "main", bundle, request: denied, decision: wrong(bundle).decide(denied) });
    await sampler.decide(bundle, request);
    expect(found.length).toBe(3);
  });
});
