/** Bounds of one scan. Each has its unit last; a file that breaks one is refused or left undecided, never passed. */
export interface ArtifactLimits {
  /** Containers inside containers. */
  readonly depthMax: number;
  /** Entries of all containers together. */
  readonly entriesMax: number;
  /** Expanded bytes per compressed byte, for what expands to more than `ratioFreeBytes`. */
  readonly ratioMax: number;
  readonly ratioFreeBytes: number;
  /** Everything that was decompressed, together. */
  readonly expandedBytesMax: number;
  /** Above this, what was decompressed goes to a temporary file. */
  readonly memoryBytesMax: number;
  /** Formats that are read whole (JSON, XML, text) are not read above this. */
  readonly documentBytesMax: number;
  /** Opcodes, nodes and fields of all parsers together. */
  readonly stepsMax: number;
  readonly findingsMax: number;
}

export const artifactLimits: ArtifactLimits = {
  depthMax: 5,
  entriesMax: 100_000,
  ratioMax: 200,
  ratioFreeBytes: 1 << 20,
  expandedBytesMax: 2 ** 31,
  memoryBytesMax: 64 << 20,
  documentBytesMax: 256 << 20,
  stepsMax: 100_000_000,
  findingsMax: 500,
};
