import type { ErrorTable } from "./table.ts";

export const gatewayErrors = {} as const satisfies ErrorTable;
