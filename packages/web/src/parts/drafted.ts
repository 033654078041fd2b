import type { ApprovingRole, RouteAnswer } from "@licet/contract";
import { digestOfBytes, sha256, toBase64, utf8 } from "@licet/evidence";
import { client, space } from "../api.ts";
import { SignInError } from "../session.ts";

export type AnswerWord = "approve" | "return" | "refuse";
export type Draft = RouteAnswer<"draftApproval">;

export interface Given {
  readonly request: string;
  readonly role: ApprovingRole;
  readonly answer: AnswerWord;
  readonly comment: string;
}

export interface Drafted {
  readonly given: Given;
  readonly draft: Draft;
}

function part(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function parsed(statement: string): unknown {
  try {
    return JSON.parse(statement);
  } catch {
    return undefined;
  }
}

/** What is shown must be what is signed: the challenge covers these bytes, and they say what the person chose. */
export function sameAsShown({ given, draft }: Drafted): boolean {
  const bytes = utf8(draft.statement);
  const challenge = toBase64(sha256(bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  if (draft.digest !== digestOfBytes(bytes) || draft.challenge !== challenge) return false;
  const predicate = part(parsed(draft.statement), "predicate");
  return (["request", "role", "answer"] as const).every((name) => part(predicate, name) === given[name]);
}

/** The server words the statement; this browser checks it before anybody reads or signs it. */
export async function drafted(given: Given): Promise<Drafted> {
  const { request, ...body } = given;
  const value = { given, draft: await client("draftApproval", { params: { space, request }, body }) };
  if (sameAsShown(value)) return value;
  throw new SignInError({ code: "statement_differs", text: "the server's digest is not that of the statement which it shows for your answer", fix: "do not sign; tell whoever runs this server" });
}

/** The statement laid out for reading; without the added spaces these are the bytes that the digest covers. */
export function laidOut(statement: string): string {
  const value = parsed(statement);
  return value === undefined ? statement : JSON.stringify(value, null, 2);
}
