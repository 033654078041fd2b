import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { bare, root } from "./run.ts";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/usr/bin/google-chrome-stable", "/snap/bin/chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];

function found(): string | undefined {
  const named = process.env["LICET_CHROMIUM"];
  return named === undefined || named === "" ? places.find((path) => existsSync(path)) : named;
}

/** Where a Chromium is; a path that LICET_CHROMIUM names and that is not there fails the test rather than skips it. */
export const chromiumPath = found();

/** No request leaves the machine, and no feature asks for one. */
const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath ?? "", args: flags });
}

/** The page as it ships; takes no time when nothing has changed. */
export function buildPage(): void {
  execFileSync(process.execPath, ["scripts/build.mjs", "page"], { cwd: root, env: bare({}), stdio: "inherit" });
}

export interface Visitor {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the console said that nobody wants there: errors, warnings, exceptions, violations of the content security policy. */
  readonly complaints: readonly string[];
}

/** A browser of their own: cookies and passkeys are shared with nobody. */
export async function visitor(browser: Browser, baseUrl: string): Promise<Visitor> {
  const context = await browser.newContext({ baseURL: baseUrl, viewport: { width: 1280, height: 900 }, reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(`${message.type()}: ${message.text()} (${page.url()})`);
  });
  page.on("pageerror", (error) => complaints.push(`exception: ${error.message} (${page.url()})`));
  return { page, context, complaints };
}

/** A platform authenticator that has verified its user; every ceremony succeeds at once. */
export async function giveAuthenticator({ page, context }: Visitor): Promise<void> {
  const session = await context.newCDPSession(page);
  await session.send("WebAuthn.enable");
  await session.send("WebAuthn.addVirtualAuthenticator", {
    options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
}

const axe = readFileSync(createRequire(join(root, "package.json")).resolve("axe-core/axe.min.js"), "utf8");

interface Violation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** What axe-core finds on the view as it stands: every rule on, or one by its name. */
export async function accessibilityProblems(page: Page, rule?: string): Promise<readonly string[]> {
  // Nothing is fetched, and only what is wrong is written down: half the time on a long page.
  const options = { preload: false, resultTypes: ["violations"], ...(rule === undefined ? {} : { runOnly: [rule] }) };
  await page.evaluate(`if (window.axe === undefined) {${axe}}`);
  // A colour in the middle of its transition has the contrast of neither end.
  await page.evaluate("Promise.allSettled(document.getAnimations().map((each) => each.finished))");
  const violations = await page.evaluate<readonly Violation[]>(`axe.run(document, ${JSON.stringify(options)}).then((result) => result.violations)`);
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html.slice(0, 120)).join(" | ")} (${page.url()})`);
}

/** How far the page is wider than its window: nothing should have to be scrolled sideways. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate<number>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
}
