export { ApiError, type Place } from "./api-error.ts";
export { createClient, type Call, type Client, type ClientOptions, type Input } from "./client.ts";
export { createWorkload, type Answer, type ExportAsked, type Obligation, type Workload, type WorkloadOptions } from "./workload.ts";
