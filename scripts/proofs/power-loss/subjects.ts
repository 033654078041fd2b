import { gatewaySubject } from "./gateway-subject.ts";
import { carelessSubject, logSubject } from "./log-subject.ts";
import { recorderSubject } from "./recorder-subject.ts";
import type { Subject } from "./subject.ts";

export const subjects: readonly Subject[] = [logSubject, recorderSubject, gatewaySubject];
/** Has to lose something, or the others' zeros mean nothing. */
export const control: Subject = carelessSubject;

export function subjectNamed(name: string): Subject {
  const found = [...subjects, control].find((subject) => subject.name === name);
  if (!found) throw new Error(`there is no subject \`${name}\``);
  return found;
}
