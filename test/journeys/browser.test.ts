import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { createClient, type Client } from "@licet/client";
import type { Role } from "@licet/contract";
import type { Browser, Page, Route } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { accessibilityProblems, buildPage, chromiumPath, giveAuthenticator, openBrowser, overflow, visitor, type Visitor } from "./support/browser.ts";
import { followChecks } from "./support/checks-view.ts";
import { policyFolder, teamPack } from "./support/policies.ts";
import { buildProduct, licet, type Ran } from "./support/run.ts";
import { newPlace, startServer, temporaryFolder, type Server } from "./support/server.ts";
import { workingCopy } from "./support/story.ts";

const space = "main";
const system = "tumour-classifier";
const environment = "local";
const missing = chromiumPath === undefined ? " (skipped: no Chromium found; install one, or name it in LICET_CHROMIUM)" : "";

interface Member {
  readonly token: string;
  readonly client: Client;
}

function newPassword(): string {
  return randomBytes(12).toString("base64url");
}

async function entered(server: Server, email: string, password: string): Promise<Member> {
  const token = await createClient({ baseUrl: server.url }).signIn(email, password);
  return { token, client: createClient({ baseUrl: server.url, token }) };
}

async function fill(page: Page, fields: Readonly<Record<string, string>>): Promise<void> {
  for (const [label, value] of Object.entries(fields)) await page.getByRole("textbox", { name: label }).fill(value);
}

/** Another character of the same alphabet: the answer keeps its form. */
function flipped(text: string, at: number): string {
  return `${text.slice(0, at)}${text[at] === "a" ? "b" : "a"}${text.slice(at + 1)}`;
}

const tampering: Readonly<Record<string, (entry: { leaf: string; proof: string[]; checkpoint: string; row: { at: number } }) => void>> = {
  "a digit of the leaf": (entry) => {
    entry.leaf = flipped(entry.leaf, entry.leaf.indexOf("sha256:") + 9);
  },
  "a character of the proof": (entry) => {
    entry.proof[0] = flipped(entry.proof[0] ?? "", 5);
  },
  "a character of the checkpoint's root": (entry) => {
    const root = entry.checkpoint.split("\n").slice(0, 2).join("\n").length + 1;
    entry.checkpoint = flipped(entry.checkpoint, root + 4);
  },
  "the time that is shown": (entry) => {
    entry.row.at -= 60_000;
  },
};

describe.skipIf(chromiumPath === undefined)(`the page in a real browser${missing}`, () => {
  const temporary = temporaryFolder();
  const people = {
    admin: { name: "Ada Administrator", email: "ada.admin@example.com", password: newPassword() },
    risk: { name: "Rolf Risk", email: "rolf.risk@example.com", password: newPassword() },
  };
  let server: Server;
  let browser: Browser;
  let admin: Visitor;
  let risk: Visitor;
  let developer: Member;
  let official: Member;
  let platform: Member;
  let folder: string;
  let request = "";
  let credential = "";
  let model = "";
  let refusal = "";
  let backtest = "";
  /** The steps are one story: after a failure the later ones would only wait for what is not there. */
  let stopped = false;

  beforeAll(async () => {
    buildProduct();
    buildPage();
    mkdirSync(temporary.path, { recursive: true });
    server = await startServer(await newPlace(temporary.path));
    browser = await openBrowser();
    admin = await visitor(browser, server.url);
    risk = await visitor(browser, server.url);
    await giveAuthenticator(risk);
  });

  afterAll(async () => {
    await browser?.close();
    await server?.signal("SIGTERM");
    temporary.remove();
  });

  beforeEach(({ skip }) => skip(stopped, "an earlier step failed"));
  afterEach(({ task }) => {
    stopped ||= task.result?.state === "fail";
  });

  /** Through the same API as the page; Rolf agrees to every role after his own. */
  async function member(email: string, role: Role): Promise<Member> {
    const { client } = await entered(server, people.admin.email, people.admin.password);
    const { person, invitation } = await client("addPerson", { params: { space }, body: { email, name: email } });
    const move = await client("grantRole", { params: { space, person: person.id }, body: { role } });
    expect(move.done).toBe(false);
    const agreeing = await entered(server, people.risk.email, people.risk.password);
    await agreeing.client("giveApproval", { params: { space, request: move.request.id }, body: { role: "risk-owner", answer: "approve", comment: "agreed" } });
    const password = newPassword();
    await createClient({ baseUrl: server.url })("acceptInvitation", { body: { token: invitation, password } });
    return entered(server, email, password);
  }

  function asMember(person: Member, ...args: readonly string[]): Promise<Ran> {
    return licet(args[0] === "policy" ? args : [...args, "--dir", folder], { env: { LICET_URL: server.url, LICET_TOKEN: person.token } });
  }

  /** The hold of the kill switch; another person agrees. */
  async function lifted(by: Member): Promise<void> {
    const { holds } = await by.client("showSystem", { params: { space, system } });
    const { request: asked } = await by.client("liftHold", { params: { space, hold: holds[0]?.id ?? "" }, body: { reason: "looked at" } });
    await official.client("giveApproval", { params: { space, request: asked.id }, body: { role: "authorizing-official", answer: "approve", comment: "agreed" } });
    await expect.poll(evaluated, { timeout: 30_000 }).toMatchObject({ decision: true });
  }

  async function evaluated(): Promise<unknown> {
    const response = await fetch(`${server.dataUrl}/access/v1/evaluation`, {
      method: "POST",
      headers: { authorization: `Bearer ${credential}`, "content-type": "application/json" },
      body: JSON.stringify({ subject: { type: "workload", id: system }, action: { name: "score" }, resource: { type: "model", id: "tumour-gbm", properties: { digest: model } } }),
    });
    return response.json();
  }

  it("a new installation says how to begin, and the printed link makes the first account", async () => {
    const { page } = admin;
    await page.goto("/");
    await page.getByText("This installation is new").waitFor();
    await page.goto("/setup");
    await page.getByText("This address lacks its one-time token").waitFor();
    // Only the fragment differs: a fresh load, as when a link is opened.
    await page.goto("about:blank");
    await page.goto(server.setupUrl ?? "");
    await fill(page, { Name: people.admin.name, "E-mail": people.admin.email, Password: people.admin.password });
    await page.getByRole("button", { name: "Make the first account" }).click();
    await page.getByRole("heading", { name: "No system yet" }).waitFor();
    expect(page.url()).not.toContain("token");
  });

  it("an invitation from the page is accepted, and a passkey is added", async () => {
    const { page } = admin;
    await page.getByRole("link", { name: "invite the people" }).click();
    await fill(page, { Name: people.risk.name, "E-mail": people.risk.email });
    await page.getByRole("button", { name: "Invite" }).click();
    const link = (await page.getByText("/invitation#token=").textContent()) ?? "";
    await page.getByRole("combobox", { name: "Person" }).selectOption({ label: people.risk.email });
    await page.getByRole("combobox", { name: "Role" }).selectOption({ label: "risk owner" });
    await page.getByRole("button", { name: "Give the role" }).click();
    await page.getByText("Given", { exact: true }).waitFor();

    await risk.page.goto(link);
    await fill(risk.page, { Password: people.risk.password });
    await risk.page.getByRole("button", { name: "Set the password" }).click();
    await risk.page.getByText("You have no passkey yet.").waitFor();
    await risk.page.getByRole("button", { name: "Add a passkey" }).click();
    await risk.page.getByText("Added. Your next approval is signed with it.").waitFor();
    expect(await risk.page.getByRole("table", { name: "passkeys" }).getByRole("row").count()).toBe(2);
  });

  it("a person signs out, and in again by password and by passkey; a wrong password says what to do", async () => {
    const { page } = risk;
    const leave = async (): Promise<void> => {
      await page.getByRole("button", { name: people.risk.email }).click();
      await page.getByRole("menuitem", { name: "Sign out" }).click();
      await page.getByRole("heading", { name: "Sign in to Licet" }).waitFor();
    };
    await leave();
    await fill(page, { "E-mail": people.risk.email, Password: "not the password" });
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("alert").getByText("sign_in_failed").waitFor();
    // The refused sign-in is the one thing that a browser's console may report.
    expect(risk.complaints.filter((line) => !line.includes("401"))).toEqual([]);
    expect(risk.complaints).toHaveLength(1);
    await fill(page, { Password: people.risk.password });
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("heading", { name: "No system yet" }).waitFor();
    await leave();
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.getByRole("heading", { name: "No system yet" }).waitFor();
  });

  it("the board shows a pushed system by stage, with its blocker, whose turn it is and since when", async () => {
    developer = await member("dana.data@example.com", "developer");
    official = await member("olga.official@example.com", "authorizing-official");
    platform = await member("piet.platform@example.com", "platform-engineer");
    folder = workingCopy(temporary.path, system);
    expect(await asMember(developer, "push")).toMatchObject({ code: 0 });
    await asMember(developer, "check", "--on-server");
    const asked = await asMember(developer, "promote", "--to", "experiment");
    request = /requests\/(req_\w+)/u.exec(asked.out)?.[1] ?? "";
    expect(request).not.toBe("");
    const line = risk.page.getByRole("table", { name: "systems in proposed" }).getByRole("row", { name: "Tumour classifier" });
    await line.getByText("risk owner, authorizing official").waitFor();
    const text = await line.innerText();
    expect(text).toContain("two different people");
    expect(text).toContain("high");
    expect(text).toMatch(/just now|\d+ min ago/u);
    expect(text).toContain("you");
  });

  it("a second person approves in their queue with a passkey, sees the exact statement first, and the authorization appears", async () => {
    const params = { space, request };
    await official.client("giveApproval", { params, body: { role: "authorizing-official", answer: "approve", comment: "agreed" } });
    const { page } = risk;
    await page.getByRole("link", { name: "My queue" }).click();
    await page.getByRole("table", { name: "my queue" }).getByRole("link", { name: `promote ${system} to experiment` }).click();
    expect(await page.getByRole("button", { name: "Refuse…" }).isDisabled()).toBe(true);
    await page.getByRole("textbox", { name: "Comment" }).fill("checks read");
    const drafts = /\/drafts$/u;
    await page.route(drafts, async (route) => {
      const response = await route.fetch();
      const draft = (await response.json()) as { statement: string };
      await route.fulfill({ response, json: { ...draft, statement: draft.statement.replace('"promote"', '"lift-hold"') } });
    });
    await page.getByRole("button", { name: "Approve…" }).click();
    await page.getByRole("alert").getByText("statement_differs").waitFor();
    await page.unroute(drafts);
    await page.getByRole("button", { name: "Approve…" }).click();
    const statement: unknown = JSON.parse(await page.getByRole("region", { name: "statement to sign" }).innerText());
    expect(statement).toMatchObject({ predicate: { request, answer: "approve", role: "risk-owner" } });
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByRole("button", { name: "Approve and sign with passkey" }).click();
    await page.getByRole("status").getByText("Granted", { exact: true }).waitFor();
    expect(await page.getByRole("table", { name: "answers" }).getByText("own passkey").count()).toBe(1);
    await page.getByRole("link", { name: "the system" }).click();
    const granted = page.getByRole("table", { name: "authorizations to operate" }).getByRole("row", { name: "experiment" });
    await granted.getByText("granted", { exact: true }).waitFor();
    expect(await granted.innerText()).toMatch(/in \d+ d/u);
  });

  it("the kill switch stops the next call, and the hold shows on the system and on the board", async () => {
    const detail = await platform.client("showSystem", { params: { space, system } });
    const recorded = await platform.client("recordDeployment", { params: { space, system }, body: { release: detail.system.release, environment, stage: "experiment" } });
    credential = recorded.credential.secret;
    model = detail.components.find((component) => component.kind === "model")?.digest ?? "";
    await expect.poll(evaluated, { timeout: 30_000 }).toMatchObject({ decision: true });
    const { page } = risk;
    await page.getByRole("button", { name: "Kill switch" }).click();
    await page.getByRole("textbox", { name: "Reason" }).fill("proposals look wrong");
    await page.getByRole("button", { name: "Stop all traffic of this system" }).click();
    await page.getByText("This system is held: every call is refused").waitFor();
    await expect.poll(evaluated, { timeout: 1000, interval: 50 }).toMatchObject({ decision: false });
    await page.getByText("proposals look wrong").waitFor();
    await page.getByRole("table", { name: "recent decisions" }).getByText("denied").first().waitFor();
    await page.getByRole("link", { name: "Systems", exact: true }).click();
    await page.getByRole("row", { name: "Tumour classifier" }).getByText("held", { exact: true }).waitFor();
  });

  it("a vendor is stopped on the page of holds, where everything that is stopped stands", async () => {
    const move = await platform.client("registerProvider", { params: { space }, body: { id: "elsewhere", baseUrl: "https://models.elsewhere.example/v1", vendor: "Elsewhere Inc", region: "eu" } });
    const agreeing = await entered(server, people.risk.email, people.risk.password);
    await agreeing.client("giveApproval", { params: { space, request: move.request.id }, body: { role: "risk-owner", answer: "approve", comment: "agreed" } });
    const { page } = risk;
    await page.getByRole("link", { name: "Holds", exact: true }).click();
    await page.getByRole("table", { name: "holds" }).getByRole("row", { name: "proposals look wrong" }).waitFor();
    await page.getByRole("button", { name: "Stop traffic" }).click();
    await page.getByRole("combobox", { name: "What" }).click();
    await page.getByRole("option", { name: "A vendor" }).click();
    expect(await page.getByRole("button", { name: "Stop it" }).isDisabled()).toBe(true);
    await page.getByRole("combobox", { name: "Vendor" }).click();
    await page.getByRole("option", { name: "Elsewhere Inc" }).click();
    await page.getByRole("textbox", { name: "Reason" }).fill("their incident of today");
    await page.getByRole("button", { name: "Stop it" }).click();
    const row = page.getByRole("table", { name: "holds" }).getByRole("row", { name: "their incident of today" });
    await row.getByText("vendor Elsewhere Inc").waitFor();
    await row.getByText("held", { exact: true }).waitFor();
    const { items } = await platform.client("listHolds", { params: { space }, query: { limit: 1 } });
    expect(items).toMatchObject([{ scope: "vendor", vendor: "Elsewhere Inc", liftedAt: null }]);
    await page.getByRole("link", { name: "Systems", exact: true }).click();
  });

  it("a decision's page names the policy and the remedy, and leads to its entry", async () => {
    const { page } = risk;
    await page.getByRole("link", { name: "Tumour classifier" }).click();
    await page.getByRole("table", { name: "recent decisions" }).getByRole("row", { name: "denied" }).first().getByRole("link").click();
    await page.getByRole("table", { name: "reasons" }).getByText("runtime.held").waitFor();
    await page.getByRole("link", { name: /^entry \d+$/u }).click();
    await page.getByText("Verified: this entry is in the log").waitFor();
    expect(await page.getByText("What this does not prove").count()).toBe(1);
  });

  it.each(Object.entries(tampering))("an entry with %s changed on its way is shown as not verified", async (_, tamper) => {
    const { page } = risk;
    const entries = /\/log\/entries\/[^/?]+$/u;
    const change = async (route: Route): Promise<void> => {
      const response = await route.fetch();
      const entry = (await response.json()) as Parameters<typeof tamper>[0];
      tamper(entry);
      await route.fulfill({ response, json: entry });
    };
    await page.route(entries, change);
    await page.reload();
    await page.getByText("Not verified: do not rely on this entry").waitFor();
    expect(await page.getByText("Verified: this entry is in the log").count()).toBe(0);
    await page.unroute(entries);
    await page.getByRole("button", { name: "Fetch the proof anew and verify" }).click();
    await page.getByText("Verified: this entry is in the log").waitFor();
  });

  it("a security engineer publishes a team's pack from its repository, and another person reads what it would change and approves it on the page", async () => {
    const security = await member("sven.security@example.com", "security-engineer");
    await lifted(security);
    const asked = await asMember(security, "policy", "publish", policyFolder(temporary.path, system), "--comment", teamPack.comment);
    expect(asked).toMatchObject({ code: 0, out: expect.stringContaining("waits for another person's approval") });
    const { page } = risk;
    await page.getByRole("link", { name: "Policies" }).click();
    await page.getByText("A publication waits for another person").waitFor();
    await page.getByRole("link", { name: "My queue" }).click();
    await page.getByRole("table", { name: "my queue" }).getByRole("link", { name: `publish policies: ${teamPack.comment}` }).click();
    const change = page.getByRole("region", { name: "What it would change" }).getByRole("table", { name: "changes" }).getByRole("row", { name: teamPack.policy });
    await change.getByText("show", { exact: true }).click({ timeout: 30_000 });
    expect(await change.innerText()).toContain(teamPack.remedy);
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByRole("textbox", { name: "Comment" }).fill("read");
    await page.getByRole("button", { name: "Approve…" }).click();
    await page.getByRole("button", { name: "Approve and sign with passkey" }).click();
    await page.getByRole("status").getByText("Granted", { exact: true }).waitFor({ timeout: 30_000 });
    await page.getByRole("link", { name: "Policies" }).click();
    const publication = page.getByRole("table", { name: "publications" }).getByRole("row", { name: teamPack.comment });
    await publication.getByText("active", { exact: true }).waitFor();
    expect(await publication.innerText()).toContain(people.risk.email);
    await page.getByText("A publication waits for another person").waitFor({ state: "detached" });
    await page.getByRole("table", { name: "policy packs" }).getByRole("link", { name: "Rules of pathology" }).waitFor();
  });

  it("what the pack forbids is refused with its requirement and remedy, and the playground says what would have to hold", async () => {
    const { code, policy, remedy } = teamPack;
    await expect.poll(evaluated, { timeout: 30_000 }).toMatchObject({ decision: false, context: { code, policy, remedy } });
    refusal = ((await evaluated()) as { readonly context: { readonly id: string } }).context.id;
    const { page } = risk;
    // Decisions are durable at once and shown a moment later.
    await vi.waitFor(() => platform.client("showDecision", { params: { space, decision: refusal } }), { timeout: 30_000, interval: 50 });
    await page.goto(`/decisions/${refusal}`);
    await page.getByRole("table", { name: "reasons" }).getByText(remedy).waitFor();
    await page.getByRole("link", { name: "decide it again, and see what would have to hold" }).click();
    await page.getByRole("button", { name: "Decide", exact: true }).click();
    await page.getByRole("table", { name: "deciding policies" }).getByRole("row", { name: policy }).getByText(remedy).waitFor();
    const open = page.getByRole("region", { name: "Would be allowed if" });
    expect(await open.innerText()).toMatch(/principal\.stage is .?experiment/u);
    expect(await accessibilityProblems(page)).toEqual([]);
  });

  it("a backtest started on the page finishes, and shows which calls would change", async () => {
    const { page } = risk;
    await page.getByRole("link", { name: "Policies" }).click();
    await page.getByRole("button", { name: "Start a backtest" }).click();
    const dialog = page.getByRole("dialog", { name: "Start a backtest" });
    await dialog.getByRole("combobox", { name: "Bundle" }).click();
    await page.getByRole("option").filter({ hasNotText: "active" }).first().click();
    expect(await accessibilityProblems(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Start", exact: true }).click();
    await page.getByRole("status").getByText(/^\d+ of \d+ decisions would change\.$/u).waitFor({ timeout: 30_000 });
    backtest = page.url().split("/").at(-1) ?? "";
    const row = page.getByRole("table", { name: "by policy" }).getByRole("row", { name: teamPack.policy });
    await row.getByRole("link").first().click();
    await page.getByRole("table", { name: "reasons" }).getByText(teamPack.policy).waitFor();
  });

  it("a release's checks show what is missing, what decides each and how many cases it takes, beside the deployed release, with their history", async () => {
    await risk.page.goto(`/systems/${system}`);
    await followChecks({ page: risk.page, folder, licet: (...args) => asMember(developer, ...args) });
    expect(await risk.page.getByRole("combobox", { name: "release" }).innerText()).toContain("release 2, the newest");
  });

  it("every view is accessible, light and dark, and fits a narrow window", async () => {
    const { page } = risk;
    const { items } = await platform.client("listDecisions", { params: { space, system }, query: {} });
    const decision = items[0]?.id ?? "";
    const publications = await platform.client("listPublications", { params: { space }, query: {} });
    const views = ["/", `/systems/${system}`, `/systems/${system}/checks`, `/systems/${system}/checks/accuracy`, "/queue", `/requests/${request}`, "/log", `/log/${decision}`, `/decisions/${decision}`, "/account", "/budgets", "/exceptions", "/holds", "/traffic", "/policies", `/policies/packs/${teamPack.name}`, `/policies/publications/${publications.items[0]?.id ?? ""}`, `/policies/playground?decision=${refusal}`, `/policies/backtests/${backtest}`, "/no/such/page"];
    const problems: string[] = [];
    const visit = async (at: Page, view: string): Promise<void> => {
      await at.goto(view);
      await at.getByRole("heading", { level: 1 }).waitFor();
      await at.getByLabel("loading").first().waitFor({ state: "detached" });
      await at.emulateMedia({ colorScheme: "light" });
      await at.setViewportSize({ width: 1280, height: 900 });
      problems.push(...(await accessibilityProblems(at)));
      await at.emulateMedia({ colorScheme: "dark" });
      await at.setViewportSize({ width: 400, height: 800 });
      problems.push(...(await accessibilityProblems(at, "color-contrast")));
      if ((await overflow(at)) > 0) problems.push(`${view} is wider than the window`);
    };
    for (const view of views) await visit(page, view);
    await visit(admin.page, "/people");
    const stranger = await visitor(browser, server.url);
    for (const view of ["/", "/setup", "/invitation"]) await visit(stranger.page, view);
    problems.push(...stranger.complaints);
    await stranger.context.close();
    expect(problems).toEqual([]);
  });

  it("works by keyboard, and nothing moves while it polls", async () => {
    const { page } = risk;
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.goto(`/systems/${system}`);
    await page.getByRole("table", { name: "timeline" }).waitFor();
    await page.evaluate("window.shifts = 0; new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.shifts += entry.value; }).observe({ type: 'layout-shift' });");
    const polled = page.waitForResponse((response) => response.url().endsWith(`/systems/${system}`));
    await polled;
    await page.waitForTimeout(500);
    expect(await page.evaluate("window.shifts")).toBe(0);
    await page.goto("/");
    await page.getByRole("link", { name: "Tumour classifier" }).waitFor();
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Skip to content");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.getAttribute('aria-label')")).toBe("search systems");
  });

  it("the console stayed silent: no error, no warning, no violation of the content security policy", () => {
    expect(admin.complaints).toEqual([]);
    expect(risk.complaints.filter((line) => !line.includes("401"))).toEqual([]);
  });
});
