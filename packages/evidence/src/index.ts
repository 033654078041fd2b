export { concat, equalBytes, fromBase64, fromHex, fromUtf8, toBase64, toHex, utf8, type Bytes } from "./bytes.ts";
export { canonicalize, digestOf, isRecord, parseCanonical } from "./canonical.ts";
export { factsDigest, immaterialFacts } from "./facts.ts";
export { formatCheckpoint, parseCheckpoint, verifyCheckpoint, type Checkpoint } from "./checkpoint.ts";
export {
  pae,
  parseEnvelope,
  statementKeyId,
  verifyEnvelope,
  type Envelope,
  type EnvelopeSignature,
  type SignerKey,
  type VerifiedEnvelope,
} from "./dsse.ts";
export { verifyEd25519, type SignedBytes } from "./ed25519.ts";
export {
  emptyRoot,
  leafHash,
  merkleRoot,
  nodeHash,
  verifyConsistency,
  verifyInclusion,
  type ConsistencyClaim,
  type InclusionClaim,
} from "./merkle.ts";
export {
  formatNote,
  formatNoteSignature,
  formatVkey,
  noteKeyHash,
  parseNote,
  parseVkey,
  verifyNote,
  type Note,
  type NoteSignature,
  type VerifiedNote,
  type Vkey,
} from "./note.ts";
export { parsed, refused, type Parsed, type Refused } from "./parsed.ts";
export { digestOfBytes, isDigest, sha256, sha256Hex, type Digest } from "./sha256.ts";
export {
  formatEnvelope,
  parseStatement,
  predicateType,
  statementBytes,
  statementPayloadType,
  statementType,
  verifyStatement,
  type Statement,
  type Subject,
  type VerifiedStatement,
} from "./statement.ts";
export {
  entriesPath,
  entryBytesMax,
  formatEntryBundle,
  hashBytes,
  parseEntryBundle,
  parseTile,
  parseTilePath,
  tilePath,
  tilesTouched,
  tileWidth,
  tileWidthAt,
  type Tile,
} from "./tiles.ts";
export { checkInclusion, decodeProof, verifyEntryInclusion, type EntryInclusion } from "./inclusion.ts";
export { leafBytes, parseLeaf, payloadAad, payloadCommit, type Leaf, type LeafPayload } from "./leaf.ts";
export {
  buildPackManifest,
  checkpointPath,
  consistencyPath,
  entryPath,
  listPack,
  manifestBytes,
  manifestEnvelopePath,
  manifestPath,
  packFileBytesMax,
  packFilesMax,
  packJson,
  packPayloadType,
  parseManifest,
  parsePackEntry,
  statementPath,
  type PackConsistency,
  type PackContent,
  type PackEntry,
  type PackFile,
  type PackManifest,
  type PackMeta,
  type Sequence,
} from "./pack.ts";
export { openPayload, type Plaintext } from "./payload.ts";
export {
  approvalPredicateType,
  atoPredicateType,
  checkResultPredicateType,
  type ApprovalPredicate,
  type AtoPredicate,
  type CheckResultPredicate,
  type CitedApproval,
  type CitedCheck,
} from "./predicates.ts";
export {
  consistencyProof,
  consistencyRanges,
  inclusionProof,
  inclusionRanges,
  rangeHash,
  rangeNodes,
  tileReader,
  type LeafRange,
  type ReadNode,
  type TreeNode,
} from "./proof.ts";
export { keysAt, parseTrust, trustFingerprint, type StatementKey, type Trust, type TrustFile } from "./trust.ts";
export { verifyPack, type PackVerification } from "./verify/pack.ts";
export { formatReport, printable, type Check, type Finding, type Report } from "./verify/report.ts";
export { packInMemory, type PackSource } from "./verify/source.ts";
