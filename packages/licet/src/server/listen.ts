import { LicetError } from "../base/errors.ts";

/** A port that another program has is the operator's to see to, and said so. */
export async function listenOrSay<T>(port: number, listen: () => Promise<T>): Promise<T> {
  try {
    return await listen();
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "EADDRINUSE") throw new LicetError("port_taken", { message: `port ${port} is taken by another program`, cause });
    throw cause;
  }
}
