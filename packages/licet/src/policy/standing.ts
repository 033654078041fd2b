import { LicetError, errorInfo, type PackSource } from "@licet/contract";
import { digestOf, parseJson } from "@licet/evidence";
import { licetVersion } from "../base/version.ts";
import { baselineFor, baselineSpace, ownPacks, type PublicationDeps } from "./publication.ts";
import { composedPacks, type ComposedPack } from "./publication-outline.ts";
import { bundleOf, publishUnlessActive } from "./publish.ts";
import { activeDigest, lastPublication, spacesKnown } from "./store.ts";

/** Why a space still decides by an older composition of its packs. */
export interface StandingProblem {
  readonly code: string;
  readonly message: string;
  readonly fix: string;
  readonly since: number;
}

/** Keeps every space's bundle composed from the installation's packs, the organisation's baseline and its own. */
export interface Standing {
  /**
   * Publishes every space's bundle where it is not the one that its packs give now: at start, because the installation may
   * have brought others, and a crash may stand between the baseline and the spaces that it binds.
   */
  composeAll(): Promise<void>;
  /** The same for one space, a new one above all. */
  compose(space: string): Promise<void>;
  problem(space: string): StandingProblem | undefined;
}

export interface StandingOptions extends PublicationDeps {
  readonly onFailure: (error: unknown) => void;
}

/**
 * Whether the active bundle is what this version of Licet composed of just these packs and those of the installation:
 * then a start need not compile it again. Packs that are switched off are in no bundle.
 */
async function isComposedOf({ read, compile }: PublicationDeps, space: string, sources: readonly PackSource[]): Promise<boolean> {
  const row = await lastPublication(read, space);
  if (row === undefined || row.compiled_by !== licetVersion || sources.length === 0) return false;
  const { bundle } = await compile([]);
  if (!(await bundleOf(read, space)).schema.startsWith(bundle.schema)) return false;
  const now = [...composedPacks(bundle), ...sources.filter(({ manifest }) => manifest.enabled !== false).map((source) => ({ name: source.name, kind: source.manifest.kind, digest: digestOf(source) }))];
  const before = composedPacks({ packs: parseJson(row.composed) });
  return digestOf(byName(now)) === digestOf(byName(before));
}

function byName(packs: readonly ComposedPack[]): readonly ComposedPack[] {
  return packs.map(({ name, kind, digest }) => ({ name, kind, digest })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function standing(options: StandingOptions): Standing {
  const { read, recorder, compile, onFailure } = options;
  const problems = new Map<string, StandingProblem>();

  async function compose(space: string): Promise<void> {
    const packs = await ownPacks(read, space);
    const sources = [...(await baselineFor(read, space)), ...packs];
    if (await isComposedOf(options, space, sources)) return;
    const { bundle } = await compile(sources);
    await publishUnlessActive(recorder, { space, bundle, packs, occasion: "installation", comment: "", by: "server" });
    problems.delete(space);
  }

  /** A space that decides by its last bundle is safe, if not current; one that has none must not pass for served. */
  async function composeOrTell(space: string): Promise<void> {
    try {
      await compose(space);
    } catch (error) {
      if (!(error instanceof LicetError) || (await activeDigest(read, space)) === undefined) throw error;
      problems.set(space, { code: error.code, message: error.message, fix: errorInfo(error.code).fix, since: recorder.now() });
      onFailure(new LicetError(error.code, { message: `the policies of the space \`${space}\` could not be composed with those of this installation; its last bundle stays: ${error.message}` }));
    }
  }

  return {
    async composeAll() {
      for (const space of new Set([baselineSpace, ...(await spacesKnown(read))])) await composeOrTell(space);
    },
    compose,
    problem: (space) => problems.get(space),
  };
}
