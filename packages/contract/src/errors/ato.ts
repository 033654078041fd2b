import type { ErrorTable } from "./table.ts";

export const atoErrors = {} as const satisfies ErrorTable;
