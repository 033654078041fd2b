import type { Table } from "@licet/assurance";
import type { gateKinds } from "@licet/contract";

export type GateKind = (typeof gateKinds)[number];

/** A check that a manifest could declare, and what it takes to decide it. */
export interface ProposedCheck {
  /** As it stands in the manifest, without the dash. */
  readonly check: Readonly<Record<string, unknown>>;
  /** For the person who decides whether to keep it. */
  readonly remarks: readonly string[];
}

/** Evidence that the manifest as it stands gives nothing to make from, and what to add. */
export interface Lack {
  readonly kind: GateKind;
  readonly add: string;
}

export interface Proposal {
  readonly checks: readonly ProposedCheck[];
  readonly lacking: readonly Lack[];
  /** Checks that nobody asks for and that would be proposed if more were declared. */
  readonly beside: readonly string[];
}

export const nothing: Proposal = { checks: [], lacking: [], beside: [] };

export function joined(parts: readonly Proposal[]): Proposal {
  return { checks: parts.flatMap(({ checks }) => checks), lacking: parts.flatMap(({ lacking }) => lacking), beside: [...new Set(parts.flatMap(({ beside }) => beside))] };
}

/** A declared data set that could be read. */
export interface ReadData {
  readonly name: string;
  readonly table: Table;
}
