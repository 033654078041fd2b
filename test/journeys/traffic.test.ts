import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { install, password, type Installation } from "../api/installation.ts";
import { deployed, traffic, type Traffic } from "../api/traffic-fixture.ts";
import { accessibilityProblems, buildPage, chromiumPath, openBrowser, overflow, visitor, type Visitor } from "./support/browser.ts";
import { root } from "./support/run.ts";

const missing = chromiumPath === undefined ? " (skipped: no Chromium found; install one, or name it in LICET_CHROMIUM)" : "";

/** Where pictures of the views go, for whoever wants to look at them. */
const pictures = process.env["LICET_PICTURES"];

/** On a busy machine a reload takes seconds. */
const slow = { timeout: 15_000 };

async function picture(page: Page, name: string): Promise<void> {
  if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
}

async function signIn({ page }: Visitor, email: string): Promise<void> {
  await page.goto("/traffic");
  await page.getByRole("textbox", { name: "E-mail" }).fill(email);
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("heading", { name: "Traffic", level: 1 }).waitFor();
}

describe.skipIf(chromiumPath === undefined)(`traffic and decisions in a real browser${missing}`, () => {
  let installation: Installation;
  let browser: Browser;
  let calls: Traffic;
  let person: Awaited<ReturnType<Installation["person"]>>;
  let engineer: Visitor;
  let refused = "";
  let bundle = "";

  beforeAll(async () => {
    buildPage();
    installation = await install({ pageFolder: join(root, "packages/licet/dist/page") });
    person = await installation.person("main", ["security-engineer", "developer"]);
    await installation.person("main", ["risk-owner", "authorizing-official"]);
    bundle = (await person.client("showPolicies", { params: { space: "main" } })).digest;
    calls = traffic(installation);
    browser = await openBrowser();
    // Passkeys and cookies are bound to a host name.
    engineer = await visitor(browser, installation.baseUrl.replace("127.0.0.1", "localhost"));
    await signIn(engineer, person.email);
  });

  afterAll(async () => {
    await browser?.close();
    await installation?.close();
  });

  it("an empty page says how a first call comes about", async () => {
    const { page } = engineer;
    await page.getByText("No call in this period").waitFor();
    await page.getByText("No call yet. The first one appears here").waitFor();
    await picture(page, "traffic-empty");
    expect(await accessibilityProblems(page)).toEqual([]);
  });

  it("calls appear by themselves: by system with their reasons, findings, spend and times", async () => {
    const { page } = engineer;
    await deployed(installation, person.client, "helpdesk");
    for (let at = 0; at < 30; at++) await calls.end(await calls.decide({ system: "helpdesk", findings: at % 3 === 0 ? [{ type: "email", dataClass: "personal", count: 1 }] : [], bundle }), "helpdesk", { totalMs: 200 + at, cost: { costMicros: 1500, currency: "EUR" } });
    await calls.decide({ system: "helpdesk", code: "data_outside_boundary", policy: "gateway.data_outside_boundary", findings: [{ type: "iban", dataClass: "financial", count: 1 }] });
    await calls.settle();
    const row = page.getByRole("table", { name: "traffic by system" }).getByRole("row").nth(1);
    await row.getByText("helpdesk").waitFor({ timeout: 15_000 });
    // The page may have read in the middle of them.
    await expect.poll(() => row.innerText(), slow).toMatch(/1 of 31[\s\S]*data_outside_boundary/u);
    const text = await row.innerText();
    expect(text).toMatch(/10× email \(personal\)/u);
    expect(text).toMatch(/0\.045 EUR/u);
    expect(text).toMatch(/whole 214 ms/u);
    await picture(page, "traffic");
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(await overflow(page)).toBe(0);
  });

  it("filters stand in the address, by keyboard too, and pages go back and forth", async () => {
    const { page } = engineer;
    await page.getByRole("button", { name: "Older" }).click();
    await page.getByText("page 2", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Newer" }).click();
    await page.getByText("page 1, live").waitFor();
    await page.getByRole("button", { name: "refused", exact: true }).focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => new URL(page.url()).search, slow).toBe("?decision=deny");
    await expect.poll(() => page.getByRole("table", { name: "decisions" }).getByRole("row").count(), slow).toBe(2);
    await page.reload();
    await expect.poll(() => page.getByRole("table", { name: "decisions" }).getByRole("row").count(), slow).toBe(2);
    await page.getByRole("button", { name: "all", exact: true }).click();
    await page.getByRole("button", { name: /^show those refused with data_outside_boundary/u }).click();
    await expect.poll(() => new URL(page.url()).search, slow).toBe("?system=helpdesk&code=data_outside_boundary");
    await page.getByRole("button", { name: /^show every code/u }).click();
  });

  it("a refused decision says which check, what to do and whose turn, and its proof is verified in the browser", async () => {
    const { page } = engineer;
    await person.client("placeHold", { params: { space: "main" }, body: { scope: "system", system: "helpdesk", reason: "looks wrong" } });
    refused = await calls.decide({ system: "helpdesk", code: "held", policy: "runtime.held", bundle });
    await calls.settle();
    // As the link in a refusal has it.
    await page.goto(`/decisions/${refused}`);
    const why = page.getByRole("region", { name: "Why" });
    await why.getByText("A hold stops this system").waitFor();
    await why.getByText("no hold is in force").waitFor();
    expect(await why.innerText()).toMatch(/security engineer, risk owner[\s\S]*licet hold lift hold_/u);
    await page.getByText("Verified: this entry is in the log").waitFor();
    await picture(page, "decision-refused");
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(await overflow(page)).toBe(0);
  });

  it("request access opens the approval that lifts it, once", async () => {
    const { page } = engineer;
    await page.getByRole("button", { name: "Request access…" }).click();
    await page.getByRole("dialog").getByRole("textbox", { name: "Reason" }).fill("the cause is gone");
    await picture(page, "decision-request");
    await page.getByRole("dialog").getByRole("button", { name: "Ask" }).click();
    await page.waitForURL(/\/requests\/req_/u);
    await page.getByRole("heading", { level: 1, name: /lift the hold on helpdesk/u }).waitFor();
    await page.goBack();
    await page.getByText("It is asked for already").waitFor();
    expect(await page.getByRole("button", { name: "Request access…" }).count()).toBe(0);
  });

  it("an allowed decision shows what was scanned, what it took and how it ended; narrow windows need no scrolling sideways", async () => {
    const { page } = engineer;
    await page.goto("/traffic?decision=allow");
    await page.getByRole("table", { name: "decisions" }).getByRole("link", { name: /allowed, helpdesk/u }).first().click();
    const outcome = page.getByRole("region", { name: "Outcome" });
    await outcome.getByText("229 ms until the end").waitFor();
    expect(await outcome.innerText()).toMatch(/10 prompt, 5 completion[\s\S]*0\.0015 EUR/u);
    await picture(page, "decision-allowed");
    await page.setViewportSize({ width: 390, height: 800 });
    await expect.poll(() => overflow(page), slow).toBe(0);
    await page.goto("/traffic");
    await page.getByRole("table", { name: "decisions" }).waitFor();
    await picture(page, "traffic-narrow");
    expect(await overflow(page)).toBe(0);
    expect(engineer.complaints).toEqual([]);
  });
});
