import type { ErrorTable } from "./table.ts";

export const manifestErrors = {} as const satisfies ErrorTable;
