import { assuranceEntries } from "../assurance/entries.ts";
import { atoEntries } from "../ato/entries.ts";
import { controlsEntries } from "../controls/entries.ts";
import { fleetEntries } from "../fleet/entries.ts";
import { budgetEntryDefinitions } from "../gateway/budgets/entries.ts";
import { gatewayEntryDefinitions } from "../gateway/entries.ts";
import { identityEntries } from "../identity/entries.ts";
import { inventoryEntries } from "../inventory/entries.ts";
import { logEntries } from "../ledger/log-entries.ts";
import { keyEntries } from "../ledger/key-rotation.ts";
import type { EntryDefinition } from "../ledger/recorder.ts";
import { oversightEntries } from "../oversight/entries.ts";
import { decisionEntries } from "../pdp/entries.ts";
import { policyEntries } from "../policy/entries.ts";
import { privacyEntries } from "../privacy/entries.ts";
import { riskEntries } from "../risk/entries.ts";
import { witnessEntries } from "../witness/entries.ts";

/** Every kind of entry that this version can write and replay. */
export const entryDefinitions: readonly EntryDefinition[] = [
  ...inventoryEntries,
  ...riskEntries,
  ...policyEntries,
  ...identityEntries,
  ...assuranceEntries,
  ...oversightEntries,
  ...atoEntries,
  ...privacyEntries,
  ...gatewayEntryDefinitions,
  ...budgetEntryDefinitions,
  ...fleetEntries,
  ...decisionEntries,
  ...controlsEntries,
  ...keyEntries,
  ...logEntries,
  ...witnessEntries,
];
