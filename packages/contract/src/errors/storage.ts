import type { ErrorTable } from "./table.ts";

export const storageErrors = {} as const satisfies ErrorTable;
