import { predicates } from "@licet/contract";
import { predicateType } from "@licet/evidence";
import { describe, expect, test } from "vitest";
import { outdatedSchemas, schemaFiles } from "../../../scripts/docs-schemas.ts";

describe("the published schemas", () => {
  test("are those of the code; else run scripts/docs-schemas.ts", () => {
    expect(outdatedSchemas()).toStrictEqual([]);
  });

  test("are one for each predicate, under its type as `$id`, closed to unknown members", () => {
    expect(schemaFiles().map(({ name }) => name)).toStrictEqual(Object.keys(predicates).map((name) => `${name}-v1.json`));
    for (const { name, text } of schemaFiles()) {
      const schema = JSON.parse(text) as Record<string, unknown>;
      expect(schema["$id"]).toBe(predicateType(name.replace(/-v1\.json$/u, "")));
      const shapes = (schema["oneOf"] ?? [schema]) as readonly Record<string, unknown>[];
      for (const shape of shapes) expect(shape).toMatchObject({ type: "object", additionalProperties: false });
    }
  });

  test("say of a predicate that nothing makes yet that it is ahead of its use", () => {
    const ahead = schemaFiles().filter(({ text }) => text.includes("published ahead of its use"));
    expect(ahead.map(({ name }) => name)).toStrictEqual(["incident-v1.json"]);
  });
});
