export { ApiError, type Place } from "./api-error.ts";
export { createClient, type Call, type Client, type ClientOptions, type Input } from "./client.ts";
export { digestOfModel, guarded, ScoringRefused, type GuardOptions } from "./guarded.ts";
export { createWorkload, type Answer, type ExportAsked, type Obligation, type ScoringAsked, type ScoringEnded, type Workload, type WorkloadOptions } from "./workload.ts";
