import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { refusedRead, type ComponentSources } from "./component-sources.ts";
import { diagnose, type Diagnosis } from "./diagnose.ts";
import { diagnosticSarif } from "./diagnostic-sarif.ts";
import { diagnosticText } from "./diagnostic-text.ts";
import { exampleManifest } from "./example-manifest.ts";

const nothing: ComponentSources = {
  promptText: (prompt) => (prompt.text === undefined ? refusedRead("manifest_file_missing", "missing") : { kind: "read", value: prompt.text }),
  toolSchema: (tool) => (tool.schema === undefined ? refusedRead("manifest_file_missing", "missing") : { kind: "read", value: tool.schema }),
  fileFacts: () => refusedRead("manifest_file_missing", "missing"),
};
const example = stringify(exampleManifest);

/** Processor time: what neighbours on the machine do must not make a test fail. */
function cpuMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function run(input: string | Uint8Array): Diagnosis {
  return diagnose({ bytes: typeof input === "string" ? new TextEncoder().encode(input) : input, file: "licet.yaml", sources: nothing });
}
const codes = (input: string | Uint8Array) => run(input).diagnostics.map((each) => each.code);
const edited = (from: string, to: string) => {
  expect(example).toContain(from);
  return example.replace(from, to);
};

describe("a manifest", () => {
  it("without a fault has no diagnostics and is accepted", () => {
    expect(run(example).diagnostics).toEqual([]);
    expect(run(example).accepted?.manifest).toEqual(exampleManifest);
  });

  it("with a misspelt key is refused at that key, with the key that was meant", () => {
    const [found] = run(edited("jurisdictions:\n  - DE", "jurisdictons:\n  - DE")).diagnostics.filter((each) => each.code === "manifest_unknown_key");
    expect(found).toMatchObject({ severity: "error", line: 13, column: 1, endLine: 13, endColumn: 13, message: "unknown key `jurisdictons` in the manifest; did you mean `jurisdictions`?" });
    expect(found?.fix).toContain("`jurisdictions`");
  });

  it.each([
    ["a misspelt word", "mode: none", "mode: non", "manifest_unknown_value", "did you mean `none`"],
    ["a misspelt answer", "exposure: staff-input", "exposure: staf-input", "manifest_unknown_value", "did you mean `staff-input`"],
    ["yes for true", "deployer: true", "deployer: yes", "manifest_wrong_type", "is the string `yes`; expected true or false"],
    ["a name with capitals", "name: example", "name: Example", "manifest_format", "lower-case letters"],
    ["an owner without address", "business: b@example.com", "business: Bea", "manifest_format", "an e-mail address"],
    ["one person as both owners", "technical: t@example.com", "technical: B@example.com", "manifest_same_owners", "both business and technical owner"],
    ["a country that does not exist", "- DE", "- QX", "manifest_jurisdiction", "`QX`"],
    ["oversight by nobody", "mode: none", "mode: spot-checks", "manifest_overseer_missing", "names no overseer"],
    ["a negative retention", "retentionDays: 30", "retentionDays: -1", "manifest_range", "retentionDays"],
    ["a missing key", "environments:\n  - local\n", "", "manifest_missing", "`environments` is missing"],
    ["an undeclared hole in a template", "text: You know the canteen.", "text: Hello {{who}}\n      template: { holes: {} }", "manifest_hole_undeclared", "`{{who}}`"],
    ["an unused hole", "text: You know the canteen.", "text: Hello\n      template: { holes: { who: { maxLength: 9 } } }", "manifest_hole_unused", "`who`"],
    ["a pattern of exponential time", "text: You know the canteen.", "text: Hi {{who}}\n      template: { holes: { who: { maxLength: 9, pattern: (a+)+ } } }", "manifest_pattern", "`who`"],
    ["a prompt without text", "text: You know the canteen.", "", "manifest_one_of", "neither `file` nor `text`"],
    ["a missing file", "text: You know the canteen.", "file: gone.md", "manifest_file_missing", "missing"],
    ["a mark of the template", "title: Example", "title: <fill in>", "manifest_unfilled", "`title` is not filled in"],
    ["an unanswered question", "    gpai:\n      placesModel: false\n", "", "manifest_answer_missing", "placesModel"],
    ["a check of an undeclared model", "rollback:", "assurance: { checks: [{ id: a, check: perf.metric, metric: auc, floor: 0.9, model: chad, dataset: d, target: y }] }\nrollback:", "manifest_unknown_reference", "did you mean `chat`"],
    ["a check of an unknown kind", "rollback:", "assurance: { checks: [{ id: a, check: perf.metrik }] }\nrollback:", "manifest_unknown_value", "did you mean `perf.metric`"],
    ["a dataset outside the boundary", "dataBoundary:", "  datasets: [{ name: d, digest: 'sha256:" + "a".repeat(64) + "', sensitivity: special, licence: own, retentionDays: 1 }]\ndataBoundary:", "manifest_outside_boundary", "`special`"],
    ["a dataset without ground", "dataBoundary:", "  datasets: [{ name: d, digest: 'sha256:" + "a".repeat(64) + "', sensitivity: public, retentionDays: 1 }]\ndataBoundary:", "manifest_ground_missing", "`d`"],
    ["bounds that nothing meets", "model: sim-1", "model: sim-1\n      parameters: { temperature: { min: 1, max: 0 } }", "manifest_bounds", "`temperature`"],
    ["a model that is a file and is served", "model: sim-1", "model: sim-1\n      file: m.onnx\n      scoring: { protocol: oip }", "manifest_one_of", "both `file` and `scoring`"],
    ["an address where a model answers", "model: sim-1", "model: sim-1\n      scoring: { protocol: oip, url: 'http://10.0.0.1/v2' }", "manifest_unknown_key", "`url`"],
    ["an undeclared model as fallback", "model: sim-1", "model: sim-1\n      fallback: [spare]", "manifest_fallback", "no model is called `spare`"],
    ["a model as its own fallback", "model: sim-1", "model: sim-1\n      fallback: [chat]", "manifest_fallback", "`chat` cannot stand in for itself"],
    ["a tab as indentation", "owners:\n  business", "owners:\n\tbusiness", "manifest_tab", "tab"],
    ["a duplicate key", "title: Example", "title: Example\ntitle: Other", "manifest_duplicate_key", "`title` stands twice"],
    ["an alias", "title: Example", "title: &a Example\ndescription: *a", "manifest_alias", ""],
    ["a merge key", "title: Example", "title: Example\n<<: { a: 1 }", "manifest_alias", "merge key"],
    ["an older YAML", "apiVersion", "%YAML 1.1\n---\napiVersion", "manifest_syntax", "1.1"],
    ["a second document", "environments:\n  - local\n", "environments: [local]\n---\na: 1\n", "manifest_syntax", ""],
    ["a custom tag", "title: Example", "title: !!js/function Example", "manifest_syntax", ""],
    ["a prototype key", "title: Example", "title: Example\n__proto__: { a: 1 }", "manifest_unknown_key", "__proto__"],
    ["half a character", "title: Example", 'title: "\\ud800"', "manifest_encoding", "half a character"],
  ])("with %s is told so", (_, ...[from, to, code, message]) => {
    const found = run(edited(from, to)).diagnostics.filter((each) => each.code === code);
    expect(found).not.toEqual([]);
    expect(found.some((each) => each.message.includes(message))).toBe(true);
    expect(found.every((each) => each.why !== "" && each.fix !== "")).toBe(true);
  });

  it("with many faults shows all of them in one run, in the order of the text", () => {
    const broken = example.replace("title: Example", "titel: Example").replace("mode: none", "mode: nobody").replace("technical: t@", "technical: b@").replace("retentionDays: 30", "retentionDays: soon");
    const found = run(broken).diagnostics;
    expect(new Set(found.map((each) => each.code))).toEqual(new Set(["manifest_missing", "manifest_unknown_key", "manifest_same_owners", "manifest_unknown_value", "manifest_wrong_type"]));
    expect(found.map((each) => each.line)).toEqual(found.map((each) => each.line).toSorted((a, b) => a - b));
  });

  it("with only warnings is accepted", () => {
    const found = run(edited("    gpai:\n      placesModel: false\n", ""));
    expect(found.diagnostics.map((each) => each.severity)).toEqual(["warning"]);
    expect(found.accepted).toBeDefined();
  });
});

describe("bytes that are not a manifest", () => {
  it.each([
    ["UTF-16 with a mark", new Uint8Array([0xff, 0xfe, 0x61, 0]), "manifest_encoding"],
    ["UTF-16 without a mark", new Uint8Array(Buffer.from("apiVersion: licet/v1", "utf16le")), "manifest_encoding"],
    ["a byte order mark", new Uint8Array([0xef, 0xbb, 0xbf, 0x61]), "manifest_encoding"],
    ["over a mebibyte", new Uint8Array(1024 * 1024 + 1).fill(0x61), "manifest_too_large"],
    ["nothing", new Uint8Array(), "manifest_missing"],
    ["a list", new TextEncoder().encode("- a"), "manifest_wrong_type"],
  ])("such as %s are named for what they are", (_, bytes, code) => {
    expect(codes(bytes)).toContain(code);
  });

  it("are refused at the first invalid byte", () => {
    const [found] = run(new Uint8Array([...new TextEncoder().encode("a: ü\nb: "), 0xff, 0x61])).diagnostics;
    expect(found).toMatchObject({ code: "manifest_encoding", line: 2, column: 4, message: "byte 10 (0xff) is not valid UTF-8" });
  });

  it.each([
    ["nested aliases", `a: &a [x, x]\n${"bcdefghi".split("").map((key, index) => `${key}: &${key} [${`*${"abcdefgh"[index]},`.repeat(9)}]`).join("\n")}`],
    ["a million open brackets", "[".repeat(1_000_000)],
    ["a quarter of a million open mappings", "{a: ".repeat(250_000)],
    ["nested markers", "- ".repeat(500_000)],
    ["question marks", "? ".repeat(500_000)],
    ["a quarter of a million keys", Array.from({ length: 150_000 }, (_, index) => `${index.toString(36)}: 1`).join("\n")],
    ["one equal key over and over", "a: 1\n".repeat(70_000)],
    ["balanced brackets", "[]".repeat(500_000)],
    ["directives", "%A\n".repeat(300_000)],
    ["tags", "!a ".repeat(200_000)],
    ["one line of a megabyte", `a: ${"x".repeat(1_000_000)}`],
    ["anchors over and over", "- &a\n".repeat(170_000)],
    ["deep indentation", Array.from({ length: 1300 }, (_, index) => `${" ".repeat(index)}a:`).join("\n")],
    ["an open quote", `a: "${"\\n".repeat(400_000)}`],
    ["open braces in turn with colons", "{[".repeat(400_000)],
  ])("such as %s are refused in bounded time", (_, text) => {
    const start = cpuMilliseconds();
    expect(run(text).diagnostics.some((each) => each.severity === "error")).toBe(true);
    expect(cpuMilliseconds() - start).toBeLessThan(4000);
  });

  it("never make it throw, and every place lies inside the file", () => {
    const pieces = fc.constantFrom("apiVersion: licet/v1\n", "name", ": ", "- ", "\n", "  ", "\t", "[", "{", "}", "]", "&a ", "*a", "<<", '"', "'", "|\n", ">\n", "#", "!!", "%YAML 1.1\n", "---\n", "\u0000", "ü", "😀", "owners", "components: { models: [");
    const text = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.array(pieces, { maxLength: 40 }).map((parts) => new TextEncoder().encode(parts.join(""))));
    fc.assert(
      fc.property(text, (bytes) => {
        const { diagnostics, source, accepted } = run(bytes);
        expect(accepted !== undefined || diagnostics.length > 0).toBe(true);
        diagnosticText(diagnostics, source);
        for (const each of diagnostics) {
          expect(each.line).toBeGreaterThanOrEqual(1);
          expect(each.line).toBeLessThanOrEqual(source.lines.length);
          expect(each.column).toBeGreaterThanOrEqual(1);
          expect(each.column).toBeLessThanOrEqual((source.lines[each.line - 1] ?? "").length + 2);
          expect(each.endLine > each.line || each.endColumn >= each.column).toBe(true);
        }
      }),
      { numRuns: 1500 },
    );
  });

  it("made by cutting or doubling a line of a good manifest never throw and never pass unseen", () => {
    const lines = example.split("\n");
    fc.assert(
      fc.property(fc.nat(lines.length - 1), fc.constantFrom("cut", "twice", "indent"), (index, how) => {
        const line = lines[index] ?? "";
        const changed = [...lines.slice(0, index), ...(how === "cut" ? [] : how === "twice" ? [line, line] : [` ${line}`]), ...lines.slice(index + 1)].join("\n");
        const { accepted, diagnostics } = run(changed);
        expect(accepted !== undefined || diagnostics.some((each) => each.severity === "error")).toBe(true);
      }),
    );
  });
});

describe("the number of components", () => {
  const services = (count: number) => example.replace("dataBoundary:", `  services:\n${Array.from({ length: count }, (_, index) => `    - {name: s${index}, vendor: v}`).join("\n")}\ndataBoundary:`);

  it("may be ten thousand, checked within the time that a person waits", () => {
    run(example);
    const start = cpuMilliseconds();
    expect(codes(services(9_998))).toEqual([]);
    // Well under a second when warm; the bound leaves room for the compiler's threads, which count too.
    expect(cpuMilliseconds() - start).toBeLessThan(2000);
  });

  it("may not be more", () => {
    expect(codes(services(9_999))).toEqual(["manifest_too_many_components"]);
  });
});

describe("the printed forms", () => {
  it("show place, code, message, the source with a caret, why and fix", () => {
    const { diagnostics, source } = run(edited("autonomy: suggests", "autonomy: sugests"));
    expect(diagnosticText(diagnostics, source)).toBe(
      [
        "licet.yaml:17:11: error[manifest_unknown_value]: `autonomy` is `sugests`; did you mean `suggests`?",
        "   |",
        "17 | autonomy: sugests",
        "   |           ^^^^^^^",
        "   = why: policies decide on these words, so an unknown one cannot be decided on",
        "   = fix: use one of `suggests`, `acts-after-approval`, `acts-with-review`, `acts-alone`",
        "",
        "1 error, 0 warnings",
        "",
      ].join("\n"),
    );
  });

  it("cannot be steered by control characters in the manifest", () => {
    const { diagnostics, source } = run(edited("autonomy: suggests", 'autonomy: "\\e[2Jx\u200e" # \u202e'));
    for (const control of ["\u001b", "\u200e", "\u202e"]) expect(diagnosticText(diagnostics, source)).not.toContain(control);
  });

  it("in SARIF place every result in a region, with its rule", () => {
    const { diagnostics } = run(edited("autonomy: suggests", "autonomy: sugests"));
    expect(diagnosticSarif(diagnostics, "1.0.0")).toMatchObject({
      version: "2.1.0",
      runs: [{ tool: { driver: { rules: [{ id: "manifest_unknown_value" }] } }, results: [{ ruleId: "manifest_unknown_value", ruleIndex: 0, level: "error", locations: [{ physicalLocation: { artifactLocation: { uri: "licet.yaml" }, region: { startLine: 17, startColumn: 11 } } }] }] }],
    });
  });
});
