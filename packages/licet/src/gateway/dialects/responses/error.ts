import { parseJson } from "@licet/evidence";
import { refusalBody, type Refused } from "../../answer.ts";

/**
 * The event by which a stream of responses is broken off. The provider's API has the words at the top level, older
 * clients look for them below `error`: both get them. It goes on with the numbers of the stream.
 */
export function errorEvent(refused: Refused): string {
  const body: { readonly error: Readonly<Record<string, unknown>> } = parseJson(refusalBody(refused));
  const { message, code, param } = body.error;
  return `event: error\ndata: ${JSON.stringify({ type: "error", sequence_number: refused.number ?? 0, code, message, param: param ?? null, error: body.error })}\n\n`;
}
