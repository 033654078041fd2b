import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { accessibilityProblems } from "./browser.ts";
import type { Ran } from "./run.ts";

export interface ChecksStory {
  readonly page: Page;
  /** The working copy, whose first release is deployed at experiment. */
  readonly folder: string;
  /** Runs a command there as somebody who may push and check. */
  readonly licet: (...args: readonly string[]) => Promise<Ran>;
}

async function pushStricter({ folder, licet }: ChecksStory): Promise<void> {
  const path = join(folder, "licet.yaml");
  const manifest = readFileSync(path, "utf8");
  expect(manifest).toContain("floor: 0.9\n");
  writeFileSync(path, manifest.replace("floor: 0.9\n", "floor: 0.92\n"));
  expect(await licet("push")).toMatchObject({ code: 0 });
}

/** From the page of a system whose second release asks for more accuracy than the first. */
export async function followChecks(story: ChecksStory): Promise<void> {
  const { page, licet } = story;
  await pushStricter(story);
  await page.getByRole("link", { name: "Comparison with experiment, attempts and other releases" }).click();
  const nothing = page.getByRole("alert").filter({ hasText: "No result for this release yet" });
  expect(await nothing.innerText()).toContain("licet check --on-server");
  await page.getByText("Nobody has begun a counted run of this release.").waitFor();
  await licet("check", "--on-server");
  // The page shows it by itself.
  const row = page.getByRole("table", { name: "checks" }).getByRole("row", { name: "accuracy" });
  await row.getByText("insufficient evidence", { exact: true }).waitFor();
  expect(await row.innerText()).toMatch(/About [\d,]+ such cases would decide it; there are 228\./u);
  await row.getByRole("img", { name: /with 99\.24 % confidence at least 0\.\d+, and at least 0\.92 is asked\.$/u }).waitFor();
  await page.getByText("1 of 7 demanded checks does not count as passed yet").waitFor();
  const beside = page.getByRole("table", { name: "comparison" }).getByRole("row", { name: "accuracy" });
  expect(await beside.innerText()).toContain("limit was at least 0.9, is at least 0.92 (stricter)");
  // The other limit is the second attempt on this model; the seven other checks stand from the first release.
  await page.getByRole("table", { name: "attempts" }).getByText("8 results").waitFor();
  await page.getByRole("table", { name: "attempts" }).getByText("attempt 2 at alpha 0.0076: accuracy").waitFor();
  await page.getByRole("table", { name: "use of data" }).getByRole("row").nth(1).waitFor();
  expect(await accessibilityProblems(page)).toEqual([]);
  await row.getByRole("link", { name: "accuracy" }).press("Enter");
  await oneCheck(page);
}

async function oneCheck(page: Page): Promise<void> {
  await page.getByRole("heading", { level: 1, name: "accuracy" }).waitFor();
  await page.getByRole("table", { name: "inputs" }).getByRole("button", { name: /^[0-9a-f]{12}…: copy sha256:/u }).first().waitFor();
  await page.locator("summary", { hasText: "Figures that the verdict follows from" }).press("Enter");
  const basis: unknown = JSON.parse(await page.getByRole("region", { name: "figures" }).innerText());
  expect(basis).toMatchObject({ kind: "statistics", of: "perf.metric", figures: { kind: "rate", n: 228 } });
  await page.getByRole("img", { name: /^2 results, oldest left/u }).waitFor();
  await page.getByRole("table", { name: "history" }).getByRole("link", { name: "show the result of attempt 1 of release 1" }).click();
  const first = page.getByRole("region", { name: "Result", exact: true });
  await first.getByText("pass", { exact: true }).waitFor();
  expect(await first.innerText()).toContain("at least 0.9 is asked");
  await page.getByRole("link", { name: "release 1", exact: true }).click();
  await page.getByText("This release is itself the one deployed at experiment in local.").waitFor();
}
