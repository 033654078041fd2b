import { LicetError } from "@licet/contract";

interface Failure {
  readonly code: string;
  readonly at: unknown;
  readonly message: string;
}

function thrownBy(act: () => unknown): Failure | undefined {
  try {
    act();
  } catch (error) {
    if (error instanceof LicetError) return { code: error.code, at: error.at, message: error.message };
    throw error;
  }
  return undefined;
}

/** What is thrown, where it is one of ours; whatever else is thrown goes on. */
export function failure(act: () => unknown): Failure {
  const thrown = thrownBy(act);
  if (thrown === undefined) throw new Error("nothing was thrown");
  return thrown;
}

/** Its code, or that there was none. */
export function code(act: () => unknown): string {
  return thrownBy(act)?.code ?? "nothing was thrown";
}
