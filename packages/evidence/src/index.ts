export { concat, equalBytes, fromBase64, fromHex, fromUtf8, toBase64, toHex, utf8, type Bytes } from "./bytes.ts";
export { canonicalize, digestOf, isRecord, parseCanonical } from "./canonical.ts";
export { parseJson } from "./json.ts";
export { factsDigest, immaterialFacts } from "./facts.ts";
export {
  formatCheckpoint,
  parseCheckpoint,
  verifyCheckpoint,
  type Checkpoint,
  type LogKey,
  type LogTrust,
  type MlDsaStanding,
  type VerifiedCheckpoint,
} from "./checkpoint.ts";
export { cosign, cosignedMessage, formatCosignature, type Cosigner, type CosignedTree, type CosignRequest } from "./cosignature.ts";
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
export { verifyMlDsa44, mlDsa44KeyBytes, mlDsa44SignatureBytes, type CheckMlDsa44, type SignatureCheck } from "./ml-dsa.ts";
export {
  checkNote,
  formatNote,
  formatNoteSignature,
  parseNote,
  parseSignatureLine,
  verifyNote,
  type CheckedNote,
  type Note,
  type NoteSignature,
  type SignatureChecks,
  type VerifiedNote,
  type VerifiedSignature,
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
  batchPath,
  buildPackManifest,
  checkpointPath,
  consistencyPath,
  entryPath,
  keyHistoryPath,
  listPack,
  manifestBytes,
  manifestEnvelopePath,
  manifestPath,
  packFileBytesMax,
  packFilesMax,
  packJson,
  packPayloadType,
  packShardPrefix,
  parseManifest,
  parsePackEntry,
  statementPath,
  type PackConsistency,
  type PackContent,
  type PackEntry,
  type PackFile,
  type PackManifest,
  type PackMeta,
  type PackPayload,
  type PackShard,
  type SealedPayload,
  type Sequence,
} from "./pack.ts";
export { batchCountMax, decisionBatchPredicateType, decisionBatchRoot, outcomeKind, readDecisionBatch, verifyDecisionBatch, type DecisionBatch } from "./decision-batch.ts";
export { openPayload, type Plaintext } from "./payload.ts";
export {
  approvalPredicateType,
  atoPredicateType,
  checkResultPredicateType,
  keyRotationPredicateType,
  readKeyRotation,
  type ApprovalPredicate,
  type AtoPredicate,
  type CheckResultPredicate,
  type CitedApproval,
  type CitedCheck,
  type KeyRole,
  type KeyRotationPredicate,
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
export { extendTrust, keyRotationStatement } from "./key-history.ts";
export { formatTlogProof, parseTlogProof, verifyTlogProof, type TlogProof, type TlogProofCheck, type VerifiedTlogProof } from "./tlog-proof.ts";
export { keysAt, logOf, parseTrust, trustFingerprint, verifyTrustedCheckpoint, type StatementKey, type TimedKey, type Trust, type TrustFile } from "./trust.ts";
export { checkQuorum, formatPolicy, parsePolicy, type PolicyGroup, type PolicyWitness, type WitnessPolicy } from "./witness-policy.ts";
export { verifyByPolicy, verifyWitnesses, type Witnessed, type WitnessVerdict } from "./witnessing.ts";
export { formatVkey, noteKeyHash, parseVkey, type CosignatureType, type KeyMaterial, type Vkey, type VkeyType } from "./vkey.ts";
export { logAtUrl, type HttpOptions } from "./verify/http.ts";
export { verifyLog, type LogVerification } from "./verify/log.ts";
export { logInMemory, SourceUnreachable, type LogSource } from "./verify/log-source.ts";
export { verifyPack, type PackVerification } from "./verify/pack.ts";
export { tilesOfTree, type HashTile } from "./tree-tiles.ts";
export { packTilesEntriesMax } from "./verify/pack-tiles.ts";
export { formatReport, printable, type Check, type Finding, type Report } from "./verify/report.ts";
export { packInMemory, type PackSource } from "./verify/source.ts";
