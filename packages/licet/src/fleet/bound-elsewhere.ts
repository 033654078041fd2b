import type { BoundElsewhere } from "../gateway/files/bound-ids.ts";
import type { ControlLine } from "./control-line.ts";
import { BoundAnswer } from "./wire.ts";

/**
 * Whose files and batches are that other gateways stored: the control plane's record says it, each time anew, so that nothing
 * is remembered that was deleted since. Where it cannot be asked an id is nobody's, and a list holds what this process bound.
 */
export function boundElsewhere(line: Pick<ControlLine, "ask">, onFailure: (error: unknown) => void): BoundElsewhere {
  const asked = async (space: string, of: Readonly<Record<string, string>>) => {
    try {
      const { ids } = await line.ask("bound", { of }, BoundAnswer);
      return ids.map((each) => ({ ...each, space }));
    } catch (error) {
      onFailure(error);
      return [];
    }
  };
  return {
    find: async ({ space, provider, id }) => (await asked(space, { provider, id })).find((each) => each.provider === provider && each.id === id),
    list: async ({ space, system, object, provider }) => asked(space, { provider, system, object }),
  };
}
