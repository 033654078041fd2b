import { fairnessGates } from "./fairness.ts";
import { extremeGates } from "./extremes.ts";
import type { Gate } from "./gate.ts";
import { otherGates } from "./others.ts";
import { performanceGates } from "./performance.ts";
import { privacyGates } from "./privacy.ts";

export const gates: readonly Gate[] = [...performanceGates, ...fairnessGates, ...privacyGates, ...otherGates, ...extremeGates];
