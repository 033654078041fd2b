import type { importFormats } from "@licet/contract";
import type { AttemptStatistics } from "../llm/statistics.ts";

export type ImportFormat = (typeof importFormats)[number];

/** Attempts of an attack or a test, counted again from the rows of the report. The event is what is unwanted. */
export interface ImportedRate {
  readonly kind: "rate";
  readonly id: string;
  readonly event: string;
  /** Counted from rows. Where the report holds totals only, repeats are taken as wholly dependent, and nothing passes. */
  readonly statistics: AttemptStatistics;
  readonly recounted: boolean;
  /** The tool's own totals, after they were found to follow from the rows. */
  readonly reported: { readonly events: number; readonly assessed: number; readonly unassessed: number; readonly prompts: number };
}

/** Assertions about one thing: each holds or not, and nothing is inferred from them. */
export interface ImportedCensus {
  readonly kind: "census";
  readonly id: string;
  readonly n: number;
  readonly violations: number;
  /** Errors, skips, files that were not looked at. */
  readonly unassessed: number;
  readonly complete: boolean;
  /** Assertions that held or not; or figures against thresholds, which fail where they exceed and show nothing where they do not. */
  readonly evidence: "assertions" | "figures";
  /** What was found, by the tool's own words for it. */
  readonly found: Readonly<Record<string, number>>;
}

/** How a figure of another tool is to be read. The same name is signed in one tool and absolute in another. */
export type SignConvention =
  | "p_value"
  | "distance"
  | "signed_difference"
  | "absolute_difference"
  | "ratio"
  | "pass_share"
  | "event_share"
  | "unknown";

/** A figure without the counts behind it. It is shown, and decides nothing. */
export interface ImportedValue {
  readonly kind: "value";
  readonly id: string;
  readonly value: number | null;
  readonly sign: SignConvention;
  readonly method: string;
}

export type ImportedItem = ImportedRate | ImportedCensus | ImportedValue;

export interface ImportedReport {
  readonly format: ImportFormat;
  readonly tool: string;
  readonly toolVersion: string | null;
  /** Of the bytes that were read. */
  readonly digest: string;
  readonly items: readonly ImportedItem[];
  /** Sentences for people. */
  readonly notes: readonly string[];
}

/**
 * Refused: nothing of the report is used. `tool_error`: not of the format, or damaged. `aborted`: the report does not say that the run
 * ended. `inconsistent_import`: its totals do not follow from its rows.
 */
export type ImportResult =
  | { readonly kind: "imported"; readonly report: ImportedReport }
  | { readonly kind: "refused"; readonly reason: "tool_error" | "aborted" | "inconsistent_import"; readonly problems: readonly string[]; readonly digest: string };

/** What a reader hands over; the rest is the same for all formats. */
export interface ReadReport {
  readonly tool: string;
  readonly toolVersion: string | null;
  readonly items: readonly ImportedItem[];
  readonly notes?: readonly string[];
}

/** What the person who imports knows and the file does not say. */
export interface ImportOptions {
  /** CSV: which columns hold the outcome, the prompt and the id, and how many rows there have to be. */
  readonly csv?: CsvImport;
  /** Rows that the run has to have, where the format has no mark of its end. */
  readonly rows?: number;
}

export interface CsvImport {
  readonly outcome: string;
  readonly cluster?: string;
  readonly id?: string;
  /** Words for each outcome. Every other word is no answer. */
  readonly event: readonly string[];
  readonly noEvent: readonly string[];
}
