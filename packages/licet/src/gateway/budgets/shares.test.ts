import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { shareLeaseMs } from "./share-terms.ts";
import { ShareWorld, type Limits, type Place } from "./shares-fixture.ts";
import { dayOf } from "./utc-day.ts";

const gateways = 3;
const numRuns = Number(process.env["LICET_SHARE_RUNS"] ?? 60);

interface Step {
  readonly what: keyof typeof acts;
  /** 0 is the control plane. */
  readonly at: number;
  readonly which: number;
  readonly tokens: number;
  readonly system: string;
  readonly used: number;
  readonly ms: number;
  readonly offset: number;
  readonly limits: Limits;
}

function exchange(world: ShareWorld, place: Place): void {
  world.send(place);
  world.deliver(world.requests.length - 1);
  world.answer(world.replies.length - 1);
}

const gatewayAt = (world: ShareWorld, { at }: Step): Place => world.places[at % gateways] ?? world.control;
const processAt = (world: ShareWorld, { at }: Step): Place => world.all[at] ?? world.control;

const limitsArbitrary: fc.Arbitrary<Limits> = fc.record({ s: fc.nat(3000), whole: fc.nat(4000), concurrency: fc.integer({ min: 1, max: 8 }), requestsPerMinute: fc.integer({ min: 1, max: 40 }) }).map(({ s, whole, concurrency, requestsPerMinute }) => ({
  s: { tokensPerDay: s, money: { currency: "EUR", microsPerDay: s + 7 } },
  "": { tokensPerDay: whole, tokensPerMonth: 2 * whole, concurrency, requestsPerMinute },
}));

const acts = {
  call: (world: ShareWorld, step: Step) => void world.call(processAt(world, step), step),
  end: (world: ShareWorld, step: Step) => world.end(processAt(world, step), step.which, step.used),
  exchange: (world: ShareWorld, step: Step) => exchange(world, gatewayAt(world, step)),
  send: (world: ShareWorld, step: Step) => world.send(gatewayAt(world, step)),
  deliver: (world: ShareWorld, step: Step) => world.deliver(step.which),
  answer: (world: ShareWorld, step: Step) => world.answer(step.which),
  lose: (world: ShareWorld, step: Step) => world.lose(step.which),
  fail: (world: ShareWorld, step: Step) => world.fail(gatewayAt(world, step)),
  start: (world: ShareWorld, step: Step) => world.start(gatewayAt(world, step)),
  kill: (world: ShareWorld, step: Step) => world.kill(gatewayAt(world, step)),
  ship: (world: ShareWorld, step: Step) => world.ship(gatewayAt(world, step), step.which),
  restart: (world: ShareWorld) => world.restartControl(),
  advance: (world: ShareWorld, step: Step) => world.advance(step.ms),
  limit: (world: ShareWorld, step: Step) => {
    world.limits = step.limits;
  },
  jump: (world: ShareWorld, step: Step) => {
    gatewayAt(world, step).offset = step.offset;
  },
} as const;

const often: Readonly<Record<keyof typeof acts, number>> = { call: 8, end: 5, exchange: 8, send: 3, deliver: 1, answer: 1, lose: 1, fail: 1, start: 1, kill: 1, ship: 2, restart: 1, advance: 4, jump: 1, limit: 1 };
const weighted = (Object.keys(often) as (keyof typeof acts)[]).map((what) => ({ weight: often[what], arbitrary: fc.constant(what) }));
const step: fc.Arbitrary<Step> = fc.record({
  what: fc.oneof(...weighted),
  at: fc.nat(gateways),
  which: fc.nat(5),
  tokens: fc.nat(300),
  system: fc.constantFrom("s", "t"),
  used: fc.double({ min: 0, max: 1, noNaN: true }),
  ms: fc.oneof({ weight: 6, arbitrary: fc.nat(600) }, { weight: 2, arbitrary: fc.nat(30_000) }, { weight: 1, arbitrary: fc.nat(40_000_000) }),
  offset: fc.integer({ min: -5000, max: 5000 }),
  limits: limitsArbitrary,
});

/** What is spent, in flight and lately begun, by what it is held to. */
function amounts(world: ShareWorld): ReadonlyMap<string, readonly [amount: number, limit: number]> {
  const found = new Map<string, readonly [number, number]>();
  for (const [name, { tokensPerDay, tokensPerMonth, money, concurrency, requestsPerMinute }] of Object.entries(world.limits)) {
    const own = ({ system }: { readonly system: string }): boolean => name === "" || system === name;
    for (const day of [dayOf(world.now) - 1, dayOf(world.now), dayOf(world.now) + 1]) {
      found.set(`tokens of ${day} ${name}`, [world.truth((spent) => (own(spent) && spent.day === day ? spent.tokens : 0)), tokensPerDay ?? Infinity]);
      found.set(`money of ${day} ${name}`, [world.truth((spent) => (own(spent) && spent.day === day ? spent.micros : 0)), money?.microsPerDay ?? Infinity]);
    }
    // All days of these runs lie in one month.
    found.set(`tokens of the month ${name}`, [world.truth((spent) => (own(spent) ? spent.tokens : 0)), tokensPerMonth ?? Infinity]);
    if (name !== "") continue;
    found.set("in flight", [world.inFlight, concurrency ?? Infinity]);
    // Clocks go up to ten seconds faster than the time here, by the jumps above.
    found.set("in a minute", [world.admitted.filter(({ at }) => at > world.now - 50_000).length, requestsPerMinute ?? Infinity]);
  }
  return found;
}

/** Nothing is taken beyond a limit: what was beyond it when it was set may stay, and grow by nothing. */
function refuseBeyond(before: ReadonlyMap<string, readonly [number, number]>, after: ReadonlyMap<string, readonly [number, number]>): void {
  const beyond = [...after].filter(([name, [amount, limit]]) => amount > (before.get(name)?.[0] ?? 0) && amount > limit);
  expect(beyond).toEqual([]);
}

/** Everybody is there again and nothing is asked any more. */
function calm(world: ShareWorld): void {
  for (const place of world.all) {
    place.offset = 0;
    while ((place.alive?.open.length ?? 0) > 0) world.end(place, 0, 0.5);
  }
  for (const place of world.places) {
    world.fail(place);
    world.start(place);
    world.ship(place, Infinity);
  }
  while (world.requests.length > 0) world.lose(0);
  world.replies = [];
  for (let round = 0; round < 130; round++) {
    world.advance(100);
    for (const place of world.places) exchange(world, place);
  }
  world.advance(700_000);
  world.lessor.sweep();
}

describe("a control plane and gateways that keep limits together", () => {
  test("never pass one, whatever is lost, delayed, killed, cut off or set to another time, and lose nothing of it for good", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300, size: "max" }), limitsArbitrary, (steps, limits) => {
        const world = new ShareWorld({ limits, gateways, now: Date.parse("2026-11-02T12:00:00Z") });
        const end = Date.parse("2026-11-29T00:00:00Z");
        let before = amounts(world);
        for (const each of steps) {
          if (each.what === "advance" && world.now + each.ms > end) continue;
          acts[each.what](world, each);
          const after = amounts(world);
          refuseBeyond(before, after);
          before = after;
        }
        world.limits = limits;
        calm(world);
        const left = ({ s, "": whole }: Limits): number => {
          const today = (system: string | undefined) => world.truth((spent) => (spent.day === dayOf(world.now) && (system === undefined || spent.system === system) ? spent.tokens : 0));
          return Math.min((s?.tokensPerDay ?? 0) - today("s"), (whole?.tokensPerDay ?? 0) - today(undefined), (whole?.tokensPerMonth ?? 0) - world.truth(({ tokens }) => tokens));
        };
        expect(world.call(world.control, { system: "s", tokens: Math.max(0, left(limits) + 1) })).toBe("refused");
        expect(world.call(world.control, { system: "s", tokens: Math.max(0, left(limits)) })).toBe(left(limits) >= 0 ? "admitted" : "refused");
      }),
      { numRuns },
    );
  }, 600_000);

  const limits: Limits = { s: { tokensPerDay: 1000, concurrency: 10 } };
  const worldOf = (of = limits): readonly [ShareWorld, Place, Place] => {
    const world = new ShareWorld({ limits: of, gateways: 2, now: Date.parse("2026-11-02T12:00:00Z") });
    return [world, world.places[0] ?? world.control, world.places[1] ?? world.control];
  };
  const spend = (world: ShareWorld, place: Place, tokens = 100): string => {
    for (let tries = 0; tries < 4; tries++) {
      const answer = world.call(place, { system: "s", tokens });
      if (answer !== "pending") return answer;
      exchange(world, place);
    }
    return "pending";
  };

  test("admit nothing that is limited without a share, and say what to do", () => {
    const [world, one] = worldOf();
    const answer = one.alive?.budgets.reserve(world.ask("s", 100, world.now));
    expect(answer).toMatchObject({ pending: true, refusal: { code: "budget_share_missing", status: 429, retryAfterSeconds: 1, component: "budget:tokensPerDay" } });
    expect(one.alive?.budgets.reserve(world.ask("t", 100, world.now))).toHaveProperty("reservation");
    exchange(world, one);
    expect(world.call(one, { system: "s", tokens: 100 })).toBe("admitted");
  });

  test("have more ready before it is needed, so that calls one after the other do not wait", () => {
    const [world, one] = worldOf({ s: { tokensPerDay: 100_000, concurrency: 100, requestsPerMinute: 1000 } });
    spend(world, one);
    for (let n = 0; n < 50; n++) {
      expect(world.call(one, { system: "s", tokens: 100 })).toBe("admitted");
      world.advance(100);
      exchange(world, one);
    }
  });

  test("use nothing of a share once its lease is over, in whichever way the clock went", () => {
    const [world, one] = worldOf();
    spend(world, one);
    expect(world.call(one, { system: "s", tokens: 10 })).toBe("admitted");
    world.advance(shareLeaseMs);
    expect(world.call(one, { system: "s", tokens: 10 })).toBe("pending");
    exchange(world, one);
    expect(world.call(one, { system: "s", tokens: 10 })).toBe("admitted");
    one.offset = -1;
    expect(world.call(one, { system: "s", tokens: 10 })).toBe("pending");
  });

  test("hold to a smaller limit at once, whatever was granted under the larger one", () => {
    const [world, one, two] = worldOf({ s: { tokensPerDay: 10_000 } });
    for (const place of [one, two]) for (let n = 0; n < 4; n++) expect(spend(world, place)).toBe("admitted");
    world.limits = { s: { tokensPerDay: 900 } };
    expect(["pending", "refused"]).toContain(world.call(one, { system: "s", tokens: 100 }));
    const answers = [spend(world, two), spend(world, one), spend(world, two), spend(world, world.control)];
    expect(answers.filter((answer) => answer === "admitted").length).toBe(1);
  });

  test("give the last of a limit to whoever needs it, whoever has it ready", () => {
    const [world, one, two] = worldOf({ s: { tokensPerDay: 1000 } });
    const turn = (place: Place, tokens: number): string => {
      let answer = "pending";
      for (let tries = 0; answer === "pending" && tries < 10; tries++) {
        answer = world.call(place, { system: "s", tokens });
        for (const each of [place, one, two]) exchange(world, each);
        world.advance(100);
      }
      return answer;
    };
    for (const place of [one, two, one, two, one, two]) expect(turn(place, 100)).toBe("admitted");
    expect(turn(one, 390)).toBe("admitted");
    expect([turn(one, 9), turn(two, 1), turn(one, 1)]).toEqual(["admitted", "admitted", "pending"]);
    // What is in flight may come to less; once it is spent for good, the answer is for good too.
    for (const place of [one, two]) while ((place.alive?.open.length ?? 0) > 0) world.end(place, 0, 1);
    for (const place of [one, two, one]) exchange(world, place);
    world.advance(600);
    for (const place of [one, two, one]) exchange(world, place);
    expect([turn(one, 1), turn(two, 1), turn(world.control, 1)]).toEqual(["refused", "refused", "refused"]);
  });

  test("claim no place in flight that others may have got while a lease was over", () => {
    const [world, one] = worldOf({ s: { concurrency: 4 } });
    expect(spend(world, one)).toBe("admitted");
    world.end(one, 0, 1);
    world.advance(620_000);
    world.lessor.sweep();
    for (let n = 0; n < 4; n++) expect(world.call(world.control, { system: "s", tokens: 1 })).toBe("admitted");
    expect(spend(world, one)).toBe("pending");
    expect(world.inFlight).toBe(4);
  });

  test("take the calls of a gateway that says nothing as in flight for as long as one can last", () => {
    const [world, one] = worldOf({ s: { concurrency: 1 } });
    expect(spend(world, one)).toBe("admitted");
    world.advance(60_000);
    world.lessor.sweep();
    expect(world.call(world.control, { system: "s", tokens: 1 })).toBe("pending");
    world.advance(560_000);
    world.lessor.sweep();
    expect(world.call(world.control, { system: "s", tokens: 1 })).toBe("admitted");
  });

  test("keep nothing for a call that lacks something else", () => {
    const [world, one] = worldOf({ s: { tokensPerDay: 1000, concurrency: 1 } });
    expect(world.call(world.control, { system: "s", tokens: 100 })).toBe("admitted");
    expect(spend(world, one, 900)).toBe("pending");
    world.end(world.control, 0, 1);
    expect(world.call(world.control, { system: "s", tokens: 900 })).toBe("admitted");
  });

  test("say again what was not heard", () => {
    const [world, one] = worldOf();
    spend(world, one);
    world.end(one, 0, 1);
    world.advance(6000);
    world.send(one);
    world.lose(0);
    world.fail(one);
    world.send(one);
    expect(world.requests[0]?.asking.holds.find(({ of }) => of === "dayTokens")).toMatchObject({ amount: 100 });
  });

  test("believe no answer to an earlier request, which says more than was kept since", () => {
    const [world, one, two] = worldOf();
    expect(spend(world, one)).toBe("admitted");
    world.advance(6000);
    world.call(one, { system: "s", tokens: 700 });
    world.send(one);
    world.deliver(0);
    const [early] = world.replies.splice(0);
    one.alive?.holder?.failed(early?.asking.number ?? 0);
    world.advance(10_000);
    world.send(one);
    world.deliver(0);
    expect(spend(world, two, 800)).toBe("admitted");
    if (early !== undefined) world.replies.unshift(early);
    world.answer(0);
    expect(world.call(one, { system: "s", tokens: 700 })).toBe("pending");
  });

  test("take what a killed gateway had ready as spent until it is back and all of its log has come over", () => {
    const [world, one, two] = worldOf();
    spend(world, one);
    spend(world, one);
    world.kill(one);
    world.advance(3_600_000);
    expect(spend(world, two, 800)).toBe("pending");
    world.start(one);
    exchange(world, one);
    expect(spend(world, two, 800)).toBe("pending");
    world.ship(one, 1);
    expect(spend(world, two, 800)).toBe("pending");
    world.ship(one, 1);
    expect(spend(world, two, 800)).toBe("admitted");
  });

  test("believe no request that a later one has overtaken, and no answer to another one", () => {
    const [world, one] = worldOf();
    world.call(one, { system: "s", tokens: 100 });
    world.send(one);
    const [late] = world.requests;
    world.lose(0);
    world.fail(one);
    expect(spend(world, one)).toBe("admitted");
    const state = () => JSON.stringify(world.lessor.state({ space: "main", gateway: one.name, run: one.alive?.run ?? "" }));
    const before = state();
    if (late !== undefined) world.requests.push(late);
    world.deliver(0);
    expect(state()).toBe(before);
    expect(world.replies).toEqual([]);
  });
});
