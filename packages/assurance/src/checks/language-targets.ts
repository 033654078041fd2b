import type { DeclaredSystem } from "../llm/checks/system.ts";
import type { Chat } from "../llm/client/chat.ts";
import type { ReplayGateway } from "../llm/replay/through-gateway.ts";
import type { Budget } from "../llm/run/execute.ts";

/** Where the declared models of providers answer during this run. */
export interface LanguageTargets {
  /** Undefined where nobody said. */
  open(model: string): { readonly chat: Chat; readonly digest: string } | undefined;
  /** The system as declared, with this prompt or the only one. */
  system(prompt: string | undefined): DeclaredSystem;
  /** The gateway before a model, whose provider is the script of hijacked calls. Absent where there is none. */
  defence?(model: string, prompt: string | undefined): DefenceTarget | undefined;
  readonly budget?: Budget;
  /** The same for one check, known by what its draws come from: what it asked before it was broken off is not asked again. */
  forCheck?(check: { readonly id: string; readonly seed: string }): ResumedTargets;
}

export interface ResumedTargets {
  readonly targets: LanguageTargets;
  /** Whether a model answered as another version than it did before: then what was kept is thrown away, and the check has to ask again. */
  changed(): boolean;
}

export interface DefenceTarget {
  readonly gateway: ReplayGateway;
  readonly digest: string;
  /** What decides there, in sentences: the bundle of policies. */
  readonly notes: readonly string[];
}
