import type { ErrorTable } from "./table.ts";

export const inventoryErrors = {} as const satisfies ErrorTable;
