import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { LicetError, packFileBytesMax } from "@licet/contract";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openPacks } from "./pack-folder.ts";
import { readPackFolder, readPackJson } from "./pack.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "licet-packs-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const manifest = "v: 1\nname: data\ntitle: Data\ndescription: What may be called with which data.\nkind: baseline\n";

function put(path: string, text: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

function soundPack(): void {
  put("packs/data/pack.yaml", manifest);
  put("packs/data/b.cedar", "// b");
  put("packs/data/a.cedar", "// a");
  put("packs/data/tests/one.yaml", "v: 1\n");
  put("packs/data/README.md", "for readers");
}

function problems(): readonly string[] {
  return openPacks(folder).diagnostics.map(({ file, line, column, code, message }) => `${file.slice(folder.length + 1)}:${line}:${column} ${code} ${message.replaceAll(folder, "")}`);
}

describe("a folder of packs", () => {
  it("is read in one order on every machine, without notes for readers and hidden files", () => {
    soundPack();
    put("packs/data/.editor", "x");
    put("packs/app/pack.yaml", "v: 1\nname: app\ntitle: App\ndescription: d\nkind: application\n");
    put("packs/app/types.cedarschema", "namespace App {}");
    expect(readPackFolder(folder)).toEqual([
      { name: "app", manifest: expect.objectContaining({ kind: "application" }), schema: "namespace App {}", policies: [], scenarios: [] },
      { name: "data", manifest: { v: 1, name: "data", title: "Data", description: "What may be called with which data.", kind: "baseline" }, policies: [{ path: "a.cedar", text: "// a" }, { path: "b.cedar", text: "// b" }], scenarios: [{ path: "tests/one.yaml", text: "v: 1\n" }] },
    ]);
  });

  it("may be the folder of one pack", () => {
    soundPack();
    expect(readPackFolder(join(folder, "packs/data"))).toEqual(readPackFolder(folder));
  });

  it("survives the wire: what is read from disk is accepted as JSON, unchanged", () => {
    soundPack();
    const packs = readPackFolder(folder);
    expect(readPackJson(JSON.parse(JSON.stringify(packs)))).toEqual(packs);
  });

  it("is refused where it is none", () => {
    expect(() => readPackFolder(join(folder, "nothing"))).toThrow(expect.objectContaining({ code: "pack_unreadable" }));
    expect(() => readPackFolder(folder)).toThrow(expect.objectContaining({ code: "pack_unreadable" }));
  });
});

describe("a pack is refused, with the place", () => {
  it.each([
    ["a misspelt key", manifest.replace("kind:", "knid:"), ["packs/data/pack.yaml:1:1 pack_malformed `kind` is missing", "packs/data/pack.yaml:5:1 pack_malformed unknown key `knid` in the file; did you mean `kind`?"]],
    ["an unknown kind", manifest.replace("baseline", "base"), ["packs/data/pack.yaml:5:7 pack_malformed `kind`: one of `builtin`, `baseline`, `team`, `application` is needed"]],
    ["text that is no YAML", `${manifest}topic: "x\n`, ["packs/data/pack.yaml:7:1 pack_syntax missing closing \"quote"]],
    ["an alias", `${manifest}topic: &a x\n`, ["packs/data/pack.yaml:6:11 pack_syntax an anchor is set"]],
    ["another name than the folder's", manifest.replace("name: data", "name: other"), ["packs/data/pack.yaml:2:7 pack_malformed the pack is named `other` and its folder `data`"]],
    ["a team pack without systems", manifest.replace("baseline", "team"), ["packs/data/pack.yaml:1:1 pack_malformed `systems`: a team pack names the systems that it tightens"]],
  ])("%s", (_, text, expected) => {
    soundPack();
    put("packs/data/pack.yaml", text);
    expect(problems().map((each) => each.replace(/ closing .*/u, ' closing "quote'))).toEqual(expected);
    expect(() => readPackFolder(folder)).toThrow(LicetError);
  });

  it("a file that nobody would read", () => {
    soundPack();
    put("packs/data/forgotten.ceder", "x");
    put("packs/data/tests/notes.txt", "x");
    expect(problems().map((each) => each.split(" ").slice(0, 2).join(" "))).toEqual(["packs/data/tests/notes.txt:1:1 pack_file_refused", "packs/data/forgotten.ceder:1:1 pack_file_refused"]);
  });

  it("a symbolic link, to a file, to a folder of tests, to a whole pack", () => {
    soundPack();
    const outside = put("outside.cedar", "permit (principal, action, resource);");
    symlinkSync(outside, join(folder, "packs/data/c.cedar"));
    symlinkSync(folder, join(folder, "packs/linked"));
    put("packs/second/pack.yaml", manifest.replace("name: data", "name: second"));
    symlinkSync(join(folder, "packs/data/tests"), join(folder, "packs/second/tests"));
    expect(problems().map((each) => each.split(" ").slice(0, 2).join(" "))).toEqual(["packs/linked:1:1 pack_file_refused", "packs/data/c.cedar:1:1 pack_file_refused", "packs/second/tests:1:1 pack_file_refused"]);
  });

  it("a file beyond the bound, and one that is not UTF-8", () => {
    soundPack();
    put("packs/data/a.cedar", "x".repeat(packFileBytesMax + 1));
    writeFileSync(join(folder, "packs/data/b.cedar"), Buffer.from([0xff, 0xfe]));
    expect(problems().map((each) => each.split(" ")[0])).toEqual(["packs/data/a.cedar:1:1", "packs/data/b.cedar:1:1"]);
  });
});

describe("packs from the wire", () => {
  const pack = { name: "data", manifest: { v: 1, name: "data", title: "t", description: "d", kind: "baseline" }, policies: [], scenarios: [] };
  it.each([
    ["a path that leaves the pack", [{ ...pack, policies: [{ path: "../a.cedar", text: "" }] }]],
    ["an unknown key", [{ ...pack, more: 1 }]],
    ["a manifest of another name", [{ ...pack, name: "other" }]],
    ["the same pack twice", [pack, pack]],
    ["no list", pack],
  ])("are refused with %s", (_, json) => {
    expect(() => readPackJson(json)).toThrow(expect.objectContaining({ code: "pack_malformed" }));
    expect(readPackJson([pack])).toEqual([pack]);
  });

  it("never make anything but packs or a coded error", () => {
    const outcome = (json: unknown): unknown => {
      try {
        return readPackJson(json);
      } catch (error) {
        return error;
      }
    };
    const property = fc.property(fc.jsonValue(), (json) => {
      const came = outcome(json);
      expect(Array.isArray(came) || came instanceof LicetError).toBe(true);
    });
    fc.assert(property, { numRuns: 200 });
  });
});
