import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Manifest, ReleaseBundle, Tool } from "@licet/contract";
import { digestOf } from "@licet/evidence";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { checkedBundle } from "./bundle.ts";
import { exampleBundle, exampleManifest } from "./example-manifest.ts";
import { isMaterial, materialFacts, materiality, materialityDigest } from "./materiality.ts";
import { planRelease, planText } from "./plan.ts";
import { bundleOf, openProject, readProject } from "./project.ts";
import { literalPromptDigest, releaseOf, toolDigest } from "./release.ts";

type Leaf = readonly string[];

function leaves(value: unknown, path: Leaf = []): readonly Leaf[] {
  if (value === null || typeof value !== "object") return [path];
  const entries = Object.entries(value);
  return entries.length === 0 ? [path] : entries.flatMap(([key, inner]) => leaves(inner, [...path, key]));
}

/** A copy with another value at one place. */
function changedAt(value: unknown, [head, ...rest]: Leaf): unknown {
  if (head === undefined) return typeof value === "boolean" ? !value : typeof value === "number" ? value + 1 : `${String(value)} changed`;
  const copy: Record<string, unknown> | unknown[] = Array.isArray(value) ? [...value] : { ...(value as object) };
  Reflect.set(copy, head, changedAt(Reflect.get(copy, head), rest));
  return copy;
}

const full: Manifest = {
  ...exampleManifest,
  description: "about",
  contacts: ["desk"],
  components: {
    ...exampleManifest.components,
    datasets: [{ name: "d", digest: digestOf("d"), sensitivity: "public", licence: "own", retentionDays: 1, description: "set" }],
    tools: [{ name: "find", description: "Finds.", power: "read", schema: { type: "object" } }],
    services: [{ name: "s", vendor: "v", description: "far" }],
  },
  rollback: { plan: "Take it down.", target: "previous" },
};
const factsDigest = (manifest: unknown) => digestOf(materialFacts(manifest as Readonly<Record<string, unknown>>));

describe("the release digest", () => {
  it("is the digest of canonical {v, materiality, facts, components}", () => {
    const { v, facts, components, digest, fileDigest, materiality: used } = releaseOf(exampleBundle());
    expect(used).toBe(materialityDigest);
    expect(digest).toBe(digestOf({ v, materiality: used, facts, components }));
    expect(fileDigest).not.toBe(digest);
  });

  it("is kept by a change of any immaterial leaf, and changed by any other", () => {
    fc.assert(
      fc.property(fc.constantFrom(...leaves(full)), (path) => {
        const same = factsDigest(changedAt(full, path)) === factsDigest(full);
        expect(same).toBe(!isMaterial(path));
      }),
      { numRuns: 500 },
    );
  });

  it("knows exactly the listed paths as immaterial", () => {
    const immaterial = leaves(full).filter((path) => !isMaterial(path));
    expect(immaterial.map((path) => path.join("/")).toSorted()).toEqual([
      "components/datasets/0/description",
      "components/models/0/description",
      "components/prompts/0/description",
      "components/services/0/description",
      "contacts/0",
      "description",
      "rollback/plan",
      "title",
    ]);
  });

  it("is changed by anything unknown, wherever it stands", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.jsonValue(), (key, value) => {
        fc.pre(!Object.hasOwn(full, key) && key !== "__proto__" && value !== undefined);
        expect(factsDigest({ ...full, [key]: value })).not.toBe(factsDigest(full));
        expect(factsDigest({ ...full, rollback: { ...full.rollback, [`x${key}`]: value } })).not.toBe(factsDigest(full));
      }),
    );
  });

  it("is kept by another title and by a comment in the file, and both change the file's digest", () => {
    const titled = exampleBundle({ ...exampleManifest, title: "Other" });
    const commented = { ...exampleBundle(), manifestText: `# hello\n${exampleBundle().manifestText}` };
    const before = releaseOf(exampleBundle());
    for (const bundle of [titled, commented]) {
      expect(releaseOf(bundle).digest).toBe(before.digest);
      expect(releaseOf(bundle).fileDigest).not.toBe(before.fileDigest);
    }
  });

  it("is changed by another purpose, another prompt text and another tool description", () => {
    const digests = [
      full,
      { ...full, purpose: "Other." },
      { ...full, components: { ...full.components, prompts: [{ name: "system", role: "system" as const, text: "Other." }] } },
      { ...full, components: { ...full.components, tools: [{ name: "find", description: "Other.", power: "read" as const, schema: { type: "object" } }] } },
    ].map((manifest) => releaseOf(exampleBundle(manifest)).digest);
    expect(new Set(digests).size).toBe(4);
  });

  it("changes when the list of immaterial paths does", () => {
    expect(materialityDigest).toBe(digestOf(materiality));
    expect(materialityDigest).not.toBe(digestOf({ ...materiality, immaterial: [...materiality.immaterial, "/purpose"] }));
  });

  it("needs every content: a bundle without one has no release", () => {
    expect(() => releaseOf({ ...exampleBundle(), prompts: [] })).toThrow(expect.objectContaining({ code: "bundle_incomplete" }));
  });

  it("addresses a literal prompt by its text and a template by text and holes", () => {
    const literal = releaseOf(exampleBundle()).components.find((each) => each.kind === "prompt");
    expect(literal).toMatchObject({ form: "literal", digest: literalPromptDigest("You know the canteen.") });
    const holes = { who: { maxLength: 9 } };
    const template = exampleBundle({ ...exampleManifest, components: { ...exampleManifest.components, prompts: [{ name: "system", role: "system", text: "Hi {{who}}", template: { holes } }] } });
    expect(releaseOf(template).components.find((each) => each.kind === "prompt")).toMatchObject({ form: "template", text: "Hi {{who}}", holes });
  });

  it("addresses a tool by what the model is told, strict absent meaning false", () => {
    const tool = { name: "find", description: "Finds.", parameters: { type: "object" } };
    expect(toolDigest(tool)).toBe(toolDigest({ ...tool, strict: false }));
    expect(toolDigest(tool)).not.toBe(toolDigest({ ...tool, strict: true }));
    expect(releaseOf(exampleBundle(full)).components.find((each) => each.kind === "tool")?.digest).toBe(toolDigest(tool));
  });

  it("knows tools of which the model is told nothing but the name: every protocol lets a caller leave the description out", () => {
    expect(Tool.safeParse({ name: "find", description: "", power: "read" }).success).toBe(true);
    expect(Tool.safeParse({ name: "find", power: "read" }).success).toBe(false);
  });
});

describe("a project on disk", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "licet-project-"));
    mkdirSync(join(folder, "sub"));
    mkdirSync(join(folder, "sub", "prompts"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function write(file: string, model?: { readonly file: string; readonly digest?: string }): void {
    const components = { models: [{ name: "m", provider: "local", model: "m", file: "m.onnx", ...model }], prompts: [{ name: "system", role: "system", file }] };
    writeFileSync(join(folder, "sub", "licet.yaml"), stringify({ ...exampleManifest, components }));
    writeFileSync(join(folder, "sub", "m.onnx"), "weights");
    writeFileSync(join(folder, "sub", "prompts", "system.md"), "Be kind.\n");
    writeFileSync(join(folder, "secret.txt"), "secret");
  }
  const codes = () => openProject(join(folder, "sub")).diagnosis.diagnostics.map((each) => each.code);

  it("is gathered with its files, and the bundle alone gives the same release", () => {
    write("prompts/system.md");
    const project = readProject(join(folder, "sub", "licet.yaml"));
    expect(project.prompts).toEqual([{ name: "system", text: "Be kind.\n" }]);
    expect(project.files).toEqual([{ path: "m.onnx", bytes: 7, digest: literalPromptDigest("weights") }]);
    const overTheWire = ReleaseBundle.parse(JSON.parse(JSON.stringify(bundleOf(project))));
    expect(releaseOf(checkedBundle(overTheWire))).toEqual(releaseOf(project));
  });

  it("gets a new release when a file's content changes, with the manifest untouched", () => {
    write("prompts/system.md");
    const before = readProject(join(folder, "sub"));
    writeFileSync(join(folder, "sub", "prompts", "system.md"), "Be rude.\n");
    const after = readProject(join(folder, "sub"));
    expect(releaseOf(after).digest).not.toBe(releaseOf(before).digest);
    expect(releaseOf(after).fileDigest).toBe(releaseOf(before).fileDigest);
    expect(planRelease(before, after)).toMatchObject({ outcome: "new-release", lines: [{ sign: "~", path: "content of prompt system", material: true }] });
  });

  it.each(["../secret.txt", "/etc/hostname", "prompts/../../secret.txt", "..", "link.txt", "prompts\\..\\x"])("never reads `%s`, which leaves its folder", (path) => {
    write(path);
    symlinkSync(join(folder, "secret.txt"), join(folder, "sub", "link.txt"));
    expect(codes()).toEqual(["manifest_file_outside"]);
  });

  it.each([
    ["gone.md", "manifest_file_missing"],
    ["prompts", "manifest_file_unreadable"],
    ["latin1.md", "manifest_file_unreadable"],
    ["huge.md", "manifest_file_unreadable"],
  ])("refuses the prompt file `%s`", (path, code) => {
    write(path);
    writeFileSync(join(folder, "sub", "latin1.md"), new Uint8Array([0xfc]));
    writeFileSync(join(folder, "sub", "huge.md"), "x".repeat(1_000_001));
    expect(codes()).toEqual([code]);
  });

  it("refuses weights that are not those declared", () => {
    write("prompts/system.md", { file: "m.onnx", digest: digestOf("other") });
    expect(codes()).toEqual(["manifest_digest_differs"]);
  });

  describe("with a table that was made from another", () => {
    const text = "a\n1\n";
    const lineage = (digest: string) => ({
      schema: "licet.assurance.lineage/v1", time: 1_700_000_000_000, notes: [], engine: { name: "e", version: "1", digest: digestOf("e") },
      source: { name: "people.csv", digest: digestOf("people"), bytes: 1, rows: 1, columns: ["a"] }, output: { name: "open.csv", digest, bytes: text.length, rows: 1, columns: ["a"] },
      method: "anonymise", parameters: { quasiIdentifiers: ["a"], k: 2, sensitive: [], drop: [] }, randomness: { kind: "none" },
      privacy: { k: 2, groups: 1, sensitive: [] }, loss: { rows: 1, suppressed: 0, certaintyPenalty: 0, groupSizeOverK: 1 },
    });
    const declare = (content: unknown) => {
      const datasets = [{ name: "open", file: "open.csv", lineage: "open.csv.lineage.json", sensitivity: "public", licence: "own", retentionDays: 1 }];
      writeFileSync(join(folder, "sub", "licet.yaml"), stringify({ ...exampleManifest, components: { ...exampleManifest.components, datasets } }));
      writeFileSync(join(folder, "sub", "open.csv"), text);
      if (content !== undefined) writeFileSync(join(folder, "sub", "open.csv.lineage.json"), JSON.stringify(content));
    };
    const sources = () => readProject(join(folder, "sub"));

    it("its lineage is part of the release, and another one makes another release", () => {
      declare(lineage(literalPromptDigest(text)));
      const before = sources();
      expect(releaseOf(before).components.find(({ kind }) => kind === "dataset")).toMatchObject({ lineage: before.files.find(({ path }) => path.endsWith("json"))?.digest });
      expect(releaseOf(checkedBundle(ReleaseBundle.parse(JSON.parse(JSON.stringify(bundleOf(before))))))).toEqual(releaseOf(before));
      declare({ ...lineage(literalPromptDigest(text)), notes: ["other"] });
      expect(releaseOf(sources()).digest).not.toBe(releaseOf(before).digest);
    });

    it.each([
      ["is of other data", lineage(digestOf("other")), ["manifest_digest_differs"]],
      ["is no lineage", { schema: "x" }, ["manifest_file_unreadable"]],
      ["is not there", undefined, ["manifest_file_missing"]],
    ])("a lineage that %s is refused", (_, content, expected) => {
      declare(content);
      expect(codes()).toEqual(expected);
    });
  });

  it("without a manifest, or with a broken one, fails with a code", () => {
    expect(() => readProject(join(folder, "sub"))).toThrow(expect.objectContaining({ code: "manifest_unreadable" }));
    writeFileSync(join(folder, "sub", "licet.yaml"), "name: x");
    expect(() => readProject(join(folder, "sub"))).toThrow(expect.objectContaining({ code: "manifest_invalid" }));
  });
});

describe("a pushed bundle", () => {
  it("is taken as it is when its parts belong together", () => {
    expect(checkedBundle(exampleBundle(full))).toEqual(exampleBundle(full));
  });

  const bundle = exampleBundle(full);
  it.each([
    ["another manifest than its text says", { ...bundle, manifest: { ...bundle.manifest, purpose: "Other." } }, "bundle_mismatch"],
    ["another prompt than the manifest holds", { ...bundle, prompts: [{ name: "system", text: "Other." }] }, "bundle_mismatch"],
    ["a prompt too many", { ...bundle, prompts: [...bundle.prompts, { name: "more", text: "x" }] }, "bundle_mismatch"],
    ["another tool schema", { ...bundle, tools: [{ name: "find", schema: { type: "string" } }] }, "bundle_mismatch"],
    ["a file too many", { ...bundle, files: [{ path: "x", digest: digestOf("x"), bytes: 1 }] }, "bundle_mismatch"],
    ["a broken manifest text", { ...bundle, manifestText: "name: x" }, "manifest_invalid"],
    ["the same owner twice", exampleBundle({ ...full, owners: { ...full.owners, technical: full.owners.business } }), "manifest_invalid"],
    ["a prompt file that was not sent", { ...exampleBundle({ ...full, components: { ...full.components, prompts: [{ name: "system", role: "system", file: "p.md" }] } }), prompts: [] }, "bundle_incomplete"],
  ])("with %s is refused", (_, refused, code) => {
    expect(() => checkedBundle(refused)).toThrow(expect.objectContaining({ code }));
  });
});

describe("the plan of a push", () => {
  it("of a new system adds every line", () => {
    const plan = planRelease(null, exampleBundle());
    expect(plan.outcome).toBe("new-system");
    expect(plan.lines.every((line) => line.sign === "+")).toBe(true);
  });

  it("of an unchanged project is empty", () => {
    expect(planRelease(exampleBundle(), exampleBundle())).toEqual({ outcome: "no-change", lines: [] });
  });

  it("tells an immaterial change from a material one", () => {
    const titled = planRelease(exampleBundle(), exampleBundle({ ...exampleManifest, title: "Other" }));
    expect(titled).toEqual({ outcome: "same-release", lines: [{ sign: "~", path: "title", before: "Example", after: "Other", material: false }] });
    expect(planText(titled)).toBe("~ title: `Example` → `Other`  (immaterial)");
    const removed = planRelease(exampleBundle(full), exampleBundle({ ...full, components: { ...full.components, services: [] } }));
    expect(removed.outcome).toBe("new-release");
    expect(removed.lines.filter((line) => line.sign === "-").map((line) => line.path)).toContain("components.services[s].vendor");
  });

  it("never calls two releases the same where a line is material, and never the other way round", () => {
    fc.assert(
      fc.property(fc.constantFrom("title", "description", "purpose", "deploymentContext"), fc.string({ minLength: 1, maxLength: 20 }).filter((text) => /\S/u.test(text)), (key, value) => {
        const plan = planRelease(exampleBundle(full), exampleBundle(Manifest.parse({ ...full, [key]: value })));
        expect(plan.outcome === "new-release").toBe(plan.lines.some((line) => line.material));
      }),
    );
  });
});
