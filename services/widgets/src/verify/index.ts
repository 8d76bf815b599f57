/**
 * A second verifier of the public ledger, written from docs/ledger-format.md: it asks no server and knows no page.
 *
 * `amply-verify` is the first. Both are held to the same golden receipts, worked examples and outside vectors.
 */

export { isSignature } from "./ed25519";
export type { Entry, VerifiedTransfer } from "./entries";
export { decodeEntry } from "./entries";
export { type FaultKind, VerifyFault } from "./faults";
export { leafHash } from "./hashing";
export { joined, parseBase64, textOf, toBase64, toHex } from "./literals";
export { verifyConsistency, verifyInclusion } from "./merkle";
export { MAX_NOTE_BYTES, openNote, parseVerifierKey, type VerifiedSignature, type VerifierKey } from "./notes";
export {
  isQuorumMet,
  type Policy,
  parseKeyList,
  parseListedKey,
  parsePolicy,
  trusting,
  withLastSizes,
} from "./policies";
export {
  type Checkpoint,
  claimedCheckpoint,
  MAX_RECEIPT_BYTES,
  openCheckpoint,
  type SignedCheckpoint,
  type VerifiedReceipt,
  verifyReceipt,
} from "./receipts";
export { canonicalJson, parseJson } from "./strict_json";
export {
  bundlePath,
  bundleProof,
  bundleWidth,
  decodeBundle,
  MAX_BUNDLE_BYTES,
  MAX_TILE_BYTES,
  TILE_WIDTH,
  type Tile,
  type TileReader,
  tilePath,
  verifyBundle,
} from "./tiles";
