import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { claimLines, issuerOf, namesOf, rulesOf } from "./ci-rules.ts";
import { commitAuthors } from "./ci-token.ts";

const said = (rules: ReturnType<typeof rulesOf>): string[] => rules.map(({ claim, value }) => `${claim}=${value}`);

describe("the rules that options spell", () => {
  test("are, of GitHub, the claims as its tokens have them", () => {
    const options = { kind: "github", repository: "octo/app", ref: "refs/heads/main", workflow: ".github/workflows/licet.yml", claim: ["repository_id=42"] } as const;
    expect(said(rulesOf(options))).toEqual(["repository=octo/app", "ref=refs/heads/main", "workflow_ref=octo/app/.github/workflows/licet.yml@refs/heads/main", "repository_id=42"]);
    expect(issuerOf(options)).toBe("https://token.actions.githubusercontent.com");
  });

  test("are, of GitLab, the claims as its tokens have them, on a protected ref unless said otherwise", () => {
    const options = { kind: "gitlab", repository: "group/app", ref: "main", workflow: ".gitlab-ci.yml" } as const;
    expect(said(rulesOf(options))).toEqual(["ref_protected=true", "project_path=group/app", "ref=main", "ci_config_ref_uri=gitlab.com/group/app//.gitlab-ci.yml@refs/heads/main"]);
    expect(said(rulesOf({ ...options, issuer: "https://git.example.org", claim: ["ref_protected=false"] }))).toEqual(["ref_protected=false", "project_path=group/app", "ref=main", "ci_config_ref_uri=git.example.org/group/app//.gitlab-ci.yml@refs/heads/main"]);
  });

  test("are, of others, under the names that are given", () => {
    const options = { kind: "other", issuer: "https://ci.example.org", repository: "app", ref: "main", workflow: "build", name: ["repository=project_slug", "run=build_number"] } as const;
    expect(said(rulesOf(options))).toEqual(["project_slug=app", "ref=main", "workflow=build"]);
    expect(namesOf(options)).toEqual({ repository: "project_slug", ref: "ref", workflow: "workflow", commit: "sha", run: "build_number" });
  });

  test("that cannot be told are a usage error", () => {
    expect(() => rulesOf({ kind: "github", workflow: "x.yml" })).toThrow("--repository and --ref");
    expect(() => rulesOf({ kind: "github", claim: ["repository"] })).toThrow("NAME=VALUE");
    expect(() => issuerOf({ kind: "other" })).toThrow("--issuer");
    expect(() => namesOf({ kind: "github", name: ["repository=x"] })).toThrow("--kind other");
    expect(() => namesOf({ kind: "other", name: ["colour=x"] })).toThrow("--name takes");
  });
});

describe("the command for a refused token", () => {
  test("says to a shell exactly what the token says, whatever that is", () => {
    const claims = { iss: "https://ci.example.org", aud: ["a b"], repository: "x'; rm -rf $HOME #", ref: "`id`", workflow: "w$(id)", email: "ada@example.org", jti: "1" };
    const lines = claimLines(claims, "example");
    expect(lines.join("\n")).not.toContain("ada@example.org");
    const words = execFileSync("sh", ["-c", `printf '%s\\n' ${(lines.at(-1) ?? "").trim().replace("licet ci register ", "")}`], { encoding: "utf8" }).trimEnd().split("\n");
    expect(words).toEqual(["--kind", "other", "--system", "example", "--issuer", claims.iss, "--audience", "a b", "--claim", `repository=${claims.repository}`, "--claim", "ref=`id`", "--claim", "workflow=w$(id)"]);
  });
});

describe("commit authors", () => {
  test("are those that are given and that GitLab names, each once, and only addresses", () => {
    expect(commitAuthors({ CI_COMMIT_AUTHOR: "Grace <Grace@Example.org>" }, ["ada@example.org", "ADA@example.org", "nobody"])).toEqual(["ada@example.org", "grace@example.org"]);
    expect(commitAuthors({ GITHUB_EVENT_PATH: "/nowhere/event.json" }, [])).toEqual([]);
    expect(commitAuthors({}, Array.from({ length: 80 }, (_, index) => `a${String(index)}@example.org`))).toHaveLength(50);
  });
});
