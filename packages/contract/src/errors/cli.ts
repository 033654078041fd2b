import type { ErrorTable } from "./table.ts";

export const cliErrors = {} as const satisfies ErrorTable;
