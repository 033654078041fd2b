import { predicates, type PredicateName } from "@licet/contract";
import { canonicalize, digestOf, isRecord, parseJson, predicateType, statementType, type Statement, type Subject } from "@licet/evidence";

/** Something that has no bytes of its own: its digest is that of the canonical JSON of these three. */
export interface Named {
  readonly kind: string;
  readonly space: string;
  readonly name: string;
}

export function namedSubject({ kind, space, name }: Named): Subject {
  return { name: `${kind}/${name}`, digest: { sha256: bare(digestOf({ kind, space, name })) } };
}

/** `digest` is `sha256:` and 64 hexadecimal digits. */
export function digestSubject(name: string, digest: string): Subject {
  return { name, digest: { sha256: bare(digest) } };
}

function bare(digest: string): string {
  return digest.slice("sha256:".length);
}

/** An in-toto statement with one of the published predicates, which it is checked against. */
export function publishedStatement(name: PredicateName, subject: Subject, predicate: object): Statement {
  const plain: unknown = parseJson(canonicalize(predicates[name].schema.parse(predicate)));
  if (!isRecord(plain)) throw new TypeError("a predicate is an object");
  return { _type: statementType, subject: [subject], predicateType: predicateType(name), predicate: plain };
}
