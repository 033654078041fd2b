import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { counts, type Circumstances, type GivenApproval } from "./counts.ts";

const now = Date.UTC(2026, 10, 20, 12);
const hour = 3_600_000;

const given: GivenApproval = { person: "per_r", role: "risk-owner", factsDigest: "sha256:f", policyDigest: "sha256:p", authenticatedAt: now - 60_000, givenAt: now, notAfter: now + hour, spentBy: null };
const approver = { email: "r@example.com", createdBy: "per_admin", disabled: false, roles: [{ role: "risk-owner", grantedBy: "per_admin", grantedAt: now - 48 * hour, early: false }] };
const around: Circumstances = { now, factsDigest: "sha256:f", policyDigest: "sha256:p", authors: { ids: new Set(["per_t"]), emails: new Set(["t@example.com"]), grantsCount: false }, approver, counted: new Set() };

const role = (change: object) => ({ ...around, approver: { ...approver, roles: [{ role: "risk-owner", grantedBy: "per_admin", grantedAt: now - 48 * hour, early: false, ...change }] } });

const refusals: readonly (readonly [string, Partial<GivenApproval>, Circumstances, string])[] = [
  ["of nobody known", {}, { ...around, approver: undefined }, "the account does not exist or is closed"],
  ["of a closed account", {}, { ...around, approver: { ...approver, disabled: true } }, "the account does not exist or is closed"],
  ["in a role that approves nothing", { role: "developer" }, around, "`developer` is no approving role"],
  ["of an administrator", {}, { ...around, approver: { ...approver, roles: [...approver.roles, { role: "administrator", grantedBy: "server", grantedAt: 0, early: true }] } }, "administrators hold no approving role"],
  ["of an author", { person: "per_t" }, around, "an author of the change cannot approve it"],
  ["of an author known by e-mail alone", {}, { ...around, approver: { ...approver, email: "T@example.com" } }, "an author of the change cannot approve it"],
  ["in a role that was taken away", {}, { ...around, approver: { ...approver, roles: [] } }, "the role was taken away"],
  ["in a role given afterwards", {}, role({ grantedAt: now + 1 }), "the role was given after the approval"],
  ["in a role one moment short of a day old", {}, role({ grantedAt: now - 24 * hour + 1 }), "the role was given less than 24 hours before"],
  ["in a role that an author gave", {}, role({ grantedBy: "per_t" }), "the role was given by an author of the change"],
  ["of an account that an author made", {}, { ...around, approver: { ...approver, createdBy: "per_t" } }, "the account was made by an author of the change"],
  ["by an old session", { authenticatedAt: now - 15 * 60_000 - 1 }, around, "authenticated more than 15 minutes before"],
  ["authenticated after it was given", { authenticatedAt: now + 1 }, around, "authenticated more than 15 minutes before"],
  ["that was spent", { spentBy: "ato_1" }, around, "spent already"],
  ["about other facts", { factsDigest: "sha256:g" }, around, "stale: the facts have changed since"],
  ["under other policies", { policyDigest: "sha256:q" }, around, "stale: the policies have changed since"],
  ["past its end", { notAfter: now }, around, "its time is over"],
  ["of somebody who counts already", {}, { ...around, counted: new Set(["per_r"]) }, "the same person counts once"],
];

describe("an approval", () => {
  test("counts when nothing speaks against it, and when the role is exactly a day old", () => {
    expect(counts(given, around)).toEqual({ counts: true, early: false });
    expect(counts(given, role({ grantedAt: now - 24 * hour }))).toEqual({ counts: true, early: false });
  });

  test.each(refusals)("does not count %s", (_, change, circumstances, why) => {
    expect(counts({ ...given, ...change }, circumstances)).toEqual({ counts: false, why });
  });

  test("of the first hour or the demo counts at once, and is marked", () => {
    expect(counts(given, role({ grantedAt: now - 1, early: true }))).toEqual({ counts: true, early: true });
    expect(counts(given, role({ grantedBy: "per_t", early: true }))).toEqual({ counts: true, early: true });
    expect(counts(given, role({ early: true }))).toEqual({ counts: true, early: false });
  });

  test("of an installation's own move counts in a day-old role that the asker gave, and is marked: nobody else could ever agree", () => {
    const asker = { ids: new Set(["per_admin"]), emails: new Set<string>(), grantsCount: true };
    expect(counts(given, { ...around, authors: asker })).toEqual({ counts: true, early: true });
    expect(counts(given, { ...role({ grantedAt: now - hour }), authors: asker })).toMatchObject({ counts: false });
    expect(counts({ ...given, person: "per_admin" }, { ...around, authors: asker })).toMatchObject({ counts: false });
  });

  test("that does not count for one reason does not count for two", () => {
    fc.assert(
      fc.property(fc.constantFrom(...refusals), fc.constantFrom(...refusals), ([, one, around1], [, two]) => {
        expect(counts({ ...given, ...two, ...one }, around1).counts).toBe(false);
      }),
    );
  });
});
