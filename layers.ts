/**
 * The folders of packages/licet/src, bottom first. A file may import from its own folder and from
 * folders before it in this list, and from nothing after it. Lint enforces this.
 */
export const foundation = ["base", "detect", "db", "tasks", "http", "ledger", "witness"] as const;

/** One folder per part of the mission. Inside each, only store.ts talks to the database. */
export const features = [
  "inventory",
  "risk",
  "policy",
  "identity",
  "assurance",
  "oversight",
  "ato",
  "privacy",
  "gateway",
  "pdp",
  "fleet",
  "monitoring",
  "incidents",
  "controls",
  "insight",
] as const;

export const entries = ["server", "cli"] as const;

export const layers = [...foundation, ...features, ...entries] as const;
