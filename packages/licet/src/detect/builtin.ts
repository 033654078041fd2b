import type { Detector } from "./detector.ts";
import { emailDetector } from "./email.ts";
import { injectionDetector } from "./injection.ts";
import { invisibleDetector } from "./invisible.ts";
import { ipDetector } from "./ip.ts";
import { numberDetector } from "./number.ts";
import { privateKeyDetector } from "./private-key.ts";
import { secretDetector } from "./secret.ts";

/** What is looked for everywhere, in the order in which it is reported. */
export const builtinDetectors: readonly Detector[] = [emailDetector, numberDetector, ipDetector, privateKeyDetector, secretDetector, injectionDetector, invisibleDetector];
