import { ProviderRegistered, ReleasePushed } from "@licet/contract";
import type { EntryDefinition } from "../ledger/recorder.ts";
import { countReleases, findRelease, findSystem, insertRelease, renewFile, upsertProvider, upsertSystem } from "./store.ts";

const releasePushed: EntryDefinition = {
  kind: "release.pushed",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const body = ReleasePushed.parse(entry.body);
    const { space, time, id } = entry;
    const bundle = JSON.stringify(body.bundle);
    const same = await findRelease(tx, space, body.system, body.digest);
    if (same === undefined) {
      const number = (await countReleases(tx, space, body.system)) + 1;
      await insertRelease(tx, {
        space,
        system: body.system,
        digest: body.digest,
        number,
        file_digest: body.fileDigest,
        materiality: body.materiality,
        bundle,
        pushed_by: body.pushedBy,
        pushed_at: time,
        entry: id,
      });
    } else {
      await renewFile(tx, { space, system: body.system, digest: body.digest, file_digest: body.fileDigest, bundle });
    }
    const before = await findSystem(tx, space, body.system);
    await upsertSystem(tx, {
      space,
      name: body.system,
      title: body.title,
      purpose: body.purpose,
      stage: before?.stage ?? "proposed",
      stage_since: before?.stage_since ?? time,
      latest_release: body.digest,
      created_at: before?.created_at ?? time,
      updated_at: time,
      entry: before?.entry ?? id,
    });
  },
};

const providerRegistered: EntryDefinition = {
  kind: "provider.registered",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const body = ProviderRegistered.parse(entry.body);
    await upsertProvider(tx, {
      space: entry.space,
      id: body.id,
      dialect: body.kind ?? body.dialect,
      api_version: body.apiVersion ?? "",
      base_url: body.baseUrl,
      vendor: body.vendor,
      region: body.region,
      allow_private: body.allowPrivate ? 1 : 0,
      registered_by: body.registeredBy,
      registered_at: entry.time,
      active: 1,
      entry: entry.id,
    });
  },
};

export const inventoryEntries: readonly EntryDefinition[] = [releasePushed, providerRegistered];
