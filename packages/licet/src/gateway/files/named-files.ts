import type { ModelCall } from "../dialect.ts";
import { refuse, type Refusal } from "../refusal.ts";
import type { ModelView } from "../snapshot.ts";
import type { Standing } from "../standing.ts";
import type { BoundIds } from "./bound-ids.ts";
import { permits } from "./power.ts";
import { ownId, staleRefusal } from "./standing.ts";

/** What a call's ids of files come to. */
export interface NamedFiles {
  readonly refusal?: Refusal;
  /** Permissions that need not stand in the release by name: their files were scanned when they were stored. */
  readonly granted: ReadonlySet<string>;
  /** Of the data in those files. */
  readonly classes: readonly string[];
}

export const noFiles: NamedFiles = { granted: new Set(), classes: [] };
const prefix = "file:";

/** Looks up the files that a call names and that its release does not permit by id. */
export async function namedFiles(asking: Standing, { needs }: ModelCall, { model, boundIds }: { readonly model: ModelView | undefined; readonly boundIds: BoundIds | undefined }): Promise<NamedFiles> {
  const asked = needs.filter(({ permission }) => permission.startsWith(prefix) && model?.permissions?.includes(permission) !== true);
  if (asked.length === 0 || model === undefined || boundIds === undefined || !permits(model, "files")) return noFiles;
  const classes = new Set<string>();
  for (const { permission, param } of asked) {
    const found = await ownId(boundIds, asking, { object: "file", id: permission.slice(prefix.length), providers: [model.provider], param });
    if ("refusal" in found) return { ...noFiles, refusal: found.refusal };
    const { bound } = found;
    // What a batch came to is a provider's words, which no one has read on their way in.
    if (bound.purpose.startsWith("batch")) return { ...noFiles, refusal: refuse("file_unknown", { message: `the file is one of purpose \`${bound.purpose}\`, which no call reads`, param }) };
    const stale = staleRefusal(asking, bound, param);
    if (stale !== undefined) return { ...noFiles, refusal: stale };
    for (const each of bound.classes) classes.add(each);
  }
  return { granted: new Set(asked.map(({ permission }) => permission)), classes: [...classes] };
}
