import type { ErrorTable } from "./table.ts";

export const riskErrors = {} as const satisfies ErrorTable;
