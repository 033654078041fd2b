import type { ErrorTable } from "./table.ts";

export const policyErrors = {} as const satisfies ErrorTable;
