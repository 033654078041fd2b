import { ErasureTarget, PrivacySettings } from "@licet/contract";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { Effect } from "../oversight/moves.ts";
import { carryOutErasure, erasureOf, keysOfTarget, type ErasureDeps } from "./erase.ts";
import { findPrivacy } from "./store.ts";

const EraseDetail = z.object({ target: ErasureTarget, basis: z.string() });

/** What approved requests do. Each is idempotent: after a crash it is called again for the same request. */
export function privacyEffects(deps: ErasureDeps): { readonly "set-privacy": Effect; readonly erase: Effect } {
  return {
    "set-privacy": async (request) => {
      const { contentModes, retentionDays } = PrivacySettings.parse(request.detail);
      const body = { contentModes: { ...contentModes }, retentionDays: { ...retentionDays }, request: request.id, setBy: request.requestedBy };
      await deps.recorder.commit(async (tx) => {
        const { space } = request;
        const now = await findPrivacy(tx, space);
        const same = now.setBy === body.setBy && isDeepStrictEqual([now.contentModes, now.retentionDays], [contentModes, retentionDays]);
        if (same) return { nothing: undefined };
        return { entry: { kind: "privacy.set", space, actor: body.setBy, subject: "space", class: "governance", body }, value: undefined };
      });
    },
    erase: async ({ id, space, detail, requestedBy }) => {
      const { target, basis } = EraseDetail.parse(detail);
      const keys = keysOfTarget(deps.keyring, space, target);
      const plan = { id: erasureOf(id), space, occasion: "request", target, keys, basis, requestedBy, request: id } as const;
      await carryOutErasure(deps, plan);
    },
  };
}
