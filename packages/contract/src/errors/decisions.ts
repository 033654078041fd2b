import type { ErrorTable } from "./table.ts";

/** Failures and refusals of the decision API and of what it decides on. */
export const decisionErrors = {
  space_exists: {
    status: 409,
    what: "a space of this name is there already",
    why: "a space's name stands in every entry of its record",
    fix: "choose another name",
  },
  space_not_here: {
    status: 404,
    what: "other spaces are opened from `main` only",
    why: "who may open spaces is decided in the installation's first space",
    fix: "ask an administrator of `main`: `licet space create NAME`",
  },
  entity_unfit: {
    status: 422,
    what: "an entity does not fit the schema of its application pack",
    why: "data that the policies were not checked against could make them fail when they are asked",
    fix: "correct the entity that is named, or publish the pack with a schema that knows it",
  },
  entity_type_unknown: {
    status: 422,
    what: "no application pack that is published in this space has this entity type",
    why: "data that no policy can look at decides nothing",
    fix: "publish the application pack first: `licet policy publish`",
  },
  data_too_much: {
    status: 422,
    what: "the space would hold more entities than it may",
    why: "all data that decisions stand on is held in memory",
    fix: "remove what no policy looks at; ids that only the caller knows need no entity where the pack says `unknown: ask`",
  },
  subject_unknown: {
    status: 403,
    what: "the subject is not one that the policies of this space know",
    why: "what nobody has described gets nothing",
    fix: "put the subject into the data with PUT /api/spaces/SPACE/policy/entities, or name its type in the pack's `authzen`",
  },
  resource_unknown: {
    status: 403,
    what: "the resource is not one that the policies of this space know",
    why: "what nobody has described is opened to nobody",
    fix: "put the resource into the data with PUT /api/spaces/SPACE/policy/entities, or name its type in the pack's `authzen`",
  },
  action_unknown: {
    status: 403,
    what: "the action is not one that the application's schema has for this subject and resource",
    why: "what has no rule is denied",
    fix: "ask for an action of the application's schema",
  },
  application_denied: {
    status: 403,
    what: "the application's policies do not permit this",
    why: "the policies that are published in this space decide",
    fix: "follow the remedy of the policy that is named; `licet policy explain` shows what has to hold",
  },
  approval_required: {
    status: 403,
    what: "this needs an approval",
    why: "the policy that is named lets it through only once somebody has approved exactly this request",
    fix: "submit an access request as `context.access_request` says, then ask again with the approval",
  },
  obligation_unsupported: {
    status: 403,
    what: "the caller does not carry out an obligation that the decision demands",
    why: "a permission under a condition that nobody fulfils is none",
    fix: "have the caller carry out the obligation and name it in `context.supported_obligations`",
  },
  sharing_path_missing: {
    status: 403,
    what: "the release declares no sharing path on which this may leave",
    why: "data goes only to those whom the authorised release names, with the classes that it names",
    fix: "add the path to `dataBoundary.sharingPaths` in licet.yaml and push a new release, or send less",
  },
  query_invalid: {
    status: 400,
    what: "the request is not what the decision API takes",
    why: "what cannot be read exactly is not decided",
    fix: "correct the member that is named",
  },
} as const satisfies ErrorTable;
