import { ProviderRegistered, roles } from "@licet/contract";
import { z } from "zod";
import type { ApprovedRegistration } from "../assurance/ci/registration.ts";
import { LicetError } from "../base/errors.ts";
import { grantRole, type PeopleOptions } from "../identity/people.ts";
import type { ProviderDetail } from "../inventory/providers.ts";
import type { Effects, Returned } from "../oversight/moves.ts";
import { carryOutPublication, type PublicationDeps } from "../policy/publication.ts";
import type { ErasureDeps } from "../privacy/erase.ts";
import { privacyEffects } from "../privacy/moves.ts";

export interface EffectDeps {
  readonly privacy: ErasureDeps;
  readonly publication: PublicationDeps;
  readonly people: PeopleOptions;
  readonly carryOutProvider: (space: string, given: { readonly detail: ProviderDetail; readonly by: string; readonly entry: string }) => Promise<void>;
  readonly carryOutRegistration: (approved: ApprovedRegistration) => Promise<Returned | undefined>;
}

const RoleDetail = z.object({ person: z.string(), role: z.enum(roles) });
const ProviderDetailShape = ProviderRegistered.omit({ registeredBy: true }).extend({ keyRef: z.string() });

/** What approved moves do. Each is idempotent: a crash between approval and effect has it called again. */
export function moveEffects(deps: EffectDeps): Effects {
  return {
    "grant-role": async (request) => {
      const { person, role } = RoleDetail.parse(request.detail);
      try {
        await grantRole(deps.people, { space: request.space, person, role, actor: request.requestedBy, request: request.id });
      } catch (error) {
        if (!(error instanceof LicetError && error.code === "role_held_already")) throw error;
      }
    },
    ...privacyEffects(deps.privacy),
    "publish-policy": (request, end) => carryOutPublication(deps.publication, request, end),
    "register-ci": ({ space, system, id, detail, requestedBy }, { outcome }) => deps.carryOutRegistration({ space, system, request: id, detail, by: requestedBy, outcome }),
    "register-provider": async (request) => {
      await deps.carryOutProvider(request.space, { detail: ProviderDetailShape.parse(request.detail), by: request.requestedBy, entry: request.id });
    },
  };
}
