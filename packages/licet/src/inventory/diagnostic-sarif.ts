import { errorInfo } from "@licet/contract";
import type { Diagnostic } from "./diagnostic.ts";

/** SARIF 2.1.0, as code hosts take it for annotations in a change. Columns count UTF-16 units. */
export function diagnosticSarif(diagnostics: readonly Diagnostic[], version: string): object {
  const codes = [...new Set(diagnostics.map((each) => each.code))].sort();
  return {
    $schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "licet", version, rules: codes.map(rule) } },
        columnKind: "utf16CodeUnits",
        results: diagnostics.map((each) => result(each, codes.indexOf(each.code))),
      },
    ],
  };
}

function rule(code: Diagnostic["code"]): object {
  const { what, why, fix } = errorInfo(code);
  return { id: code, shortDescription: { text: what }, fullDescription: { text: why }, help: { text: fix } };
}

function result(each: Diagnostic, ruleIndex: number): object {
  return {
    ruleId: each.code,
    ruleIndex,
    level: each.severity,
    message: { text: `${each.message}. ${each.why}. To fix: ${each.fix}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: encodeURI(each.file.replaceAll("\\", "/")) },
          region: { startLine: each.line, startColumn: each.column, endLine: each.endLine, endColumn: each.endColumn },
        },
        logicalLocations: [{ fullyQualifiedName: each.pointer === "" ? "/" : each.pointer }],
      },
    ],
  };
}
