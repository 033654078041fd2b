import { type ClaimedRange, Claims } from "./claims.ts";
import type { ArtifactLimits } from "./limits.ts";
import { type ArtifactRule, artifactRules, type Finding, type Severity } from "./rules.ts";
import type { Source } from "./source.ts";

/** One file, entry or expanded stream, with what it was recognised as. */
export interface FormatNode {
  readonly name: string;
  readonly format: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly claimed: readonly ClaimedRange[];
  readonly children: readonly FormatNode[];
}

/** A name that loading would import: a Python module and attribute, or a layer class of Keras. */
export interface ImportedGlobal {
  readonly module: string;
  readonly name: string;
}

/** What all layers of one scan share. */
export interface Run {
  readonly limits: ArtifactLimits;
  readonly findings: Finding[];
  readonly globals: Map<string, ImportedGlobal>;
  /** Counted over the whole scan, against the limits. */
  readonly used: { entries: number; expandedBytes: number; steps: number };
  /** All findings by severity, also those that the list has no room for: the verdict is derived from these. */
  readonly counts: Record<Severity, number>;
  readonly temporary: { readonly folder: string; readonly close: () => void }[];
  examine(layer: Layer): Promise<void>;
}

/** `torch`: a pickle whose persistent ids name storages. `torchscript`: such a pickle, or source, of a TorchScript archive. `tensor`: raw elements that a pickle of the same archive names. */
export type Purpose = "torch" | "torchscript" | "tensor" | "keras";

const textMax = 300;
const globalsMax = 10_000;

/** One layer of bytes under examination. Parsers claim what they understand and report what they find. */
export class Layer {
  readonly run: Run;
  readonly source: Source;
  readonly name: string;
  readonly path: string;
  readonly depth: number;
  readonly claims = new Claims();
  readonly nodes: FormatNode[] = [];
  format = "unknown";
  /** Set where the layer above knows what this is, and the content alone could not say it. */
  readonly purpose: Purpose | undefined;
  /** What a format that holds tensors by name was told about them: filled by parsers, read by containers. */
  readonly storages = new Map<string, number>();

  constructor(run: Run, options: { readonly source: Source; readonly name: string; readonly path: string; readonly depth: number; readonly purpose?: Purpose | undefined }) {
    this.run = run;
    this.source = options.source;
    this.name = options.name;
    this.path = options.path;
    this.depth = options.depth;
    this.purpose = options.purpose;
  }

  report(rule: ArtifactRule, what: string, offset: number | null = null): void {
    const { severity, remedy } = artifactRules[rule];
    this.run.counts[severity] += 1;
    // The first of a severity is always kept, so that no verdict stands without its reason.
    if (this.run.findings.length >= this.run.limits.findingsMax && this.run.counts[severity] > 1) return;
    this.run.findings.push({ rule, severity, path: this.path, offset, what: what.length > textMax ? `${what.slice(0, textMax)}…` : what, remedy });
  }

  imports(module: string, name: string): void {
    if (this.run.globals.size < globalsMax) this.run.globals.set(`${module}\n${name}`, { module, name });
  }

  /** Counts work over the whole scan; false once the bound is reached. */
  step(count = 1): boolean {
    this.run.used.steps += count;
    return this.run.used.steps <= this.run.limits.stepsMax;
  }

  /** Counts one more entry; false, with a finding, when a bound of the scan is reached. */
  admits(): boolean {
    this.run.used.entries += 1;
    if (this.run.used.entries > this.run.limits.entriesMax) {
      if (this.run.used.entries === this.run.limits.entriesMax + 1) this.report("limit.entries", `there are more than ${this.run.limits.entriesMax} entries`);
      return false;
    }
    if (this.depth < this.run.limits.depthMax) return true;
    this.report("limit.depth", `containers are nested more than ${this.run.limits.depthMax} deep`);
    return false;
  }

  /** A layer inside this one, not examined yet. */
  inner(name: string, source: Source, purpose?: Purpose): Layer {
    return new Layer(this.run, { source, name, path: `${this.path}!/${name}`, depth: this.depth + 1, purpose });
  }

  async child(name: string, source: Source, purpose?: Purpose): Promise<Layer | undefined> {
    if (!this.admits()) return undefined;
    const layer = this.inner(name, source, purpose);
    await this.run.examine(layer);
    this.nodes.push(layer.node());
    return layer;
  }

  claimAll(by: string): void {
    this.claims.claim(0, this.source.size, by);
  }

  node(): FormatNode {
    return { name: this.name, format: this.format, bytes: this.source.size, sha256: this.digest, claimed: this.claims.list(), children: this.nodes };
  }

  digest = "";
}
