export { ApiError, type Place } from "./api-error.ts";
export { createClient, type Call, type Client, type ClientOptions, type Input } from "./client.ts";
