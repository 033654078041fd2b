import { LicetError } from "../base/errors.ts";
import type { Entry, EntryDefinition } from "./entry.ts";

/** The kinds of entry that this version knows. */
export interface Registry {
  /** For new entries: an unknown kind is a fault of the program. */
  require(kind: string, mode: EntryDefinition["mode"]): EntryDefinition;
  /** For entries of the log. Throws `entry_unknown` for a kind or version that a later program wrote. */
  lookUp(kind: string, version: number): EntryDefinition;
}

export function registryOf(definitions: readonly EntryDefinition[]): Registry {
  const kinds = new Map<string, EntryDefinition>();
  for (const definition of definitions) {
    if (kinds.has(definition.kind)) throw new LicetError("internal", { message: `two definitions of the entry kind \`${definition.kind}\`` });
    kinds.set(definition.kind, definition);
  }
  return {
    require(kind, mode) {
      const definition = kinds.get(kind);
      if (definition?.mode === mode) return definition;
      throw new LicetError("internal", { message: `\`${kind}\` is not a kind of ${mode} entry` });
    },
    lookUp(kind, version) {
      const definition = kinds.get(kind);
      if (definition && version <= definition.v) return definition;
      throw new LicetError("entry_unknown", { message: `the log holds an entry \`${kind}\` of version ${version}`, at: { kind, version } });
    },
  };
}

/** The entry with a body of the definition's version. */
export function upcast(definition: EntryDefinition, entry: Entry): Entry {
  if (entry.v === definition.v) return entry;
  if (!definition.upcast) {
    throw new LicetError("entry_unknown", { message: `nothing brings \`${entry.kind}\` from version ${entry.v} to ${definition.v}` });
  }
  const { text: _, ...rest } = entry;
  return { ...rest, v: definition.v, body: definition.upcast(entry.body, entry.v) };
}
