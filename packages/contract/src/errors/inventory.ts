import type { ErrorTable } from "./table.ts";

export const inventoryErrors = {
  bundle_mismatch: {
    status: 422,
    what: "the pushed parts do not belong together",
    why: "the release digest is computed from the parts; parts that disagree would bind approvals to something nobody read",
    fix: "push again with `licet push`, which gathers the parts from the files",
  },
  bundle_incomplete: {
    status: 422,
    what: "a part that the manifest refers to was not pushed",
    why: "a release is complete or it is none",
    fix: "push again with `licet push` from the folder that holds every file",
  },
  system_unknown: {
    status: 404,
    what: "there is no such system in this space",
    why: "a system exists once its first release has been pushed",
    fix: "check the name, or run `licet push` first",
  },
  release_unknown: {
    status: 404,
    what: "this release has not been pushed",
    why: "only what is in the record can be checked, promoted or deployed",
    fix: "run `licet push` in the folder of the manifest",
  },
  provider_unreachable_address: {
    status: 422,
    what: "the provider's address cannot be used",
    why: "calls go out by TLS, or to this machine, so that keys and prompts cannot be read on the way",
    fix: "give an https address, or a loopback address for a simulator",
  },
} as const satisfies ErrorTable;
