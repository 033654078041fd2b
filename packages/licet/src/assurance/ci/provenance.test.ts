import { describe, expect, test } from "vitest";
import type { CiRegistration } from "../store.ts";
import { authorsOf, provenanceOf } from "./provenance.ts";

const github = { repository: "repository", ref: "ref", workflow: "workflow_ref", commit: "sha", run: "run_id" };
const gitlab = { repository: "project_path", ref: "ref", workflow: "ci_config_ref_uri", commit: "sha", run: "pipeline_id" };

function registration(more: Partial<CiRegistration>): CiRegistration {
  return { space: "main", id: "cig_1", system: "example", kind: "github", issuer: "https://token.actions.githubusercontent.com", audience: "a", names: github, claims: [], allow_private: 0, registered_by: "per_1", registered_at: 0, request: "req_1", outcome: "approved", removed_by: null, removed_at: null, removed_because: null, entry: "ent_1", ...more };
}

describe("where a run came from", () => {
  const sha = "0123456789abcdef0123456789abcdef01234567";

  test("is, of GitHub, its run; of an Enterprise Server, on that server", () => {
    const claims = { repository: "octo/app", ref: "refs/heads/main", workflow_ref: "octo/app/x.yml@refs/heads/main", sha, run_id: "7" };
    expect(provenanceOf(registration({}), claims, "cir_1")).toMatchObject({ commit: sha, runUrl: "https://github.com/octo/app/actions/runs/7" });
    expect(provenanceOf(registration({ issuer: "https://ghes.example.org/_services/token" }), claims, "cir_1")?.runUrl).toBe("https://ghes.example.org/octo/app/actions/runs/7");
  });

  test("is, of GitLab, its pipeline", () => {
    const claims = { project_path: "group/sub/app", ref: "main", ci_config_ref_uri: "gitlab.com/group/sub/app//.gitlab-ci.yml@refs/heads/main", sha, pipeline_id: 12 };
    expect(provenanceOf(registration({ kind: "gitlab", issuer: "https://gitlab.com", names: gitlab }), claims, "cir_1")).toMatchObject({ repository: "group/sub/app", runId: "12", runUrl: "https://gitlab.com/group/sub/app/-/pipelines/12" });
  });

  test("has no address and no commit that the claims could have been bent to", () => {
    const claims = { repository: "octo/app?x=//evil", ref: "r", workflow_ref: "w", sha: "javascript:alert(1)", run_id: "7/../../evil" };
    expect(provenanceOf(registration({}), claims, "cir_1")).toMatchObject({ commit: null, runUrl: null });
    expect(provenanceOf(registration({}), { ...claims, repository: "octo/app" }, "cir_1")?.runUrl).toBeNull();
  });

  test("is not told where a claim is too long to be recorded", () => {
    expect(provenanceOf(registration({}), { repository: "octo/app", ref: "r".repeat(1_001), workflow_ref: "w" }, "cir_1")).toBeUndefined();
  });
});

test("authors are those that the job names and whom the issuer signs, in one spelling and each once", () => {
  expect(authorsOf({ user_email: "Ada@Example.org" }, ["grace@example.org", "ADA@example.org"])).toEqual(["ada@example.org", "grace@example.org"]);
  expect(authorsOf({ user_email: "no address" }, [])).toEqual([]);
});
