import { componentsOf, declaredLimit } from "@licet/assurance";
import type { CheckResult, ReleaseBundle } from "@licet/contract";
import { releaseOf } from "../inventory/release.ts";

/** Names and digests of the declared files that checks may read: models and data sets with a file or a digest. */
export function declaredFiles(bundle: ReleaseBundle): ReadonlyMap<string, string> {
  // The digest of a model that is served says which weights its server names, and nothing that lies in a file here.
  const served = new Set(bundle.manifest.components.models.flatMap(({ name, file, scoring }) => (file === undefined && scoring !== undefined ? [name] : [])));
  const addressed = releaseOf(bundle).components.filter((each) => each.kind === "dataset" || (each.kind === "model" && each.addressedBy === "content" && !served.has(each.name)));
  return new Map(addressed.map((each) => [each.name, each.digest]));
}

/** Names and digests of the declared data sets. */
export function declaredDatasets(bundle: ReleaseBundle): ReadonlyMap<string, string> {
  return new Map(releaseOf(bundle).components.flatMap((each) => (each.kind === "dataset" ? [[each.name, each.digest] as const] : [])));
}

/** What checks may be about: files, and models of providers by what they are called. */
function declaredSubjects(bundle: ReleaseBundle): ReadonlyMap<string, string> {
  const tested = releaseOf(bundle).components.filter(({ kind }) => kind === "dataset" || kind === "model");
  return new Map(tested.map((each) => [each.name, each.digest]));
}

/** Where a result is not one of the check that the release declares: its kind, its limit, its files. */
export function undeclaredPart(result: CheckResult, bundle: ReleaseBundle): string | undefined {
  const check = bundle.manifest.assurance?.checks.find((each) => each.id === result.id);
  if (check === undefined) return `the release declares no check \`${result.id}\``;
  if (result.check !== check.check) return `\`${result.id}\` is declared as \`${check.check}\`, and the result is of \`${result.check}\``;
  const { op, value } = declaredLimit(check);
  if (result.limit.op !== op || result.limit.value !== value) return `\`${result.id}\` is declared with the limit ${op} ${value}, and was judged by ${result.limit.op} ${result.limit.value}`;
  // It stopped before it had counted anything, and shows nothing.
  if (result.verdict === "errored" || result.basis.kind === "none") return undefined;
  const files = declaredSubjects(bundle);
  const read = [result.subject, ...result.inputs];
  const other = read.find(({ id, digest }) => digest === null || files.get(id) !== digest);
  if (other !== undefined) return `\`${result.id}\` read a file as \`${other.id}\` that the release does not declare`;
  const unread = componentsOf(check).find((name) => !read.some(({ id }) => id === name));
  return unread === undefined ? undefined : `\`${result.id}\` did not read \`${unread}\``;
}
