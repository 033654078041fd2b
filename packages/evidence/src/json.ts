import { withOwnKeys, withPlainKeys } from "./json-keys.ts";

/**
 * `JSON.parse` of what somebody else wrote. In the engines of today that function gives wrong keys for some texts, and
 * others than it gave a moment ago (`withPlainKeys`); here one text has one meaning. Throws SyntaxError where it is not JSON,
 * RangeError where it is nested too deep to be walked. Like `JSON.parse` it checks no shape: `T` is for what we wrote.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as an assertion in the open, where `JSON.parse` has any
export function parseJson<T = unknown>(text: string): T {
  if (!text.includes("\\")) return JSON.parse(text);
  const plain = withPlainKeys(text);
  if (plain === undefined) return JSON.parse(text);
  // A text that is none must not become JSON by being written anew.
  JSON.parse(text);
  return plain.hidden.length === 0 ? JSON.parse(plain.text) : JSON.parse(plain.text, (_, value: unknown) => withOwnKeys(value, plain.hidden));
}
