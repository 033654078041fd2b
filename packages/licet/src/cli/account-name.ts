import { userInfo } from "node:os";

/** Who ran a command on this machine, for the record. */
export function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container the user may have no name.
    return "unknown";
  }
}
