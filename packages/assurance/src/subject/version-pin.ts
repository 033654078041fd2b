import { LicetError } from "@licet/contract";

/** The version that answered first, which must answer to the end. */
export class VersionPin {
  readonly #declared: string | undefined;
  #seen: string | null | undefined;

  constructor(declared: string | undefined) {
    this.#declared = declared;
  }

  /** Null until something answered, and where it does not say. */
  get version(): string | null {
    return this.#seen ?? null;
  }

  /** Throws `subject_stale` for another version than before, or none where there was one, or one that is not declared. */
  check(version: string | undefined): void {
    const found = version ?? null;
    if (this.#seen === undefined) this.#seen = found;
    const wanted = this.#seen === null ? null : (this.#declared ?? this.#seen);
    if (this.#seen !== found || wanted !== found) throw stale(`version ${words(found)} answered instead of ${words(found === this.#seen ? wanted : this.#seen)}`);
  }
}

function words(version: string | null): string {
  return version === null ? "without a name" : `\`${version.slice(0, 100)}\``;
}

export function stale(what: string): LicetError {
  return new LicetError("subject_stale", { message: `the model is not the one that was to be tested, or changed meanwhile: ${what}; pin its version and run the check again` });
}
