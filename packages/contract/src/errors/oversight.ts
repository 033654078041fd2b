import type { ErrorTable } from "./table.ts";

export const oversightErrors = {} as const satisfies ErrorTable;
