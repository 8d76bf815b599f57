/** Checkpoints and receipts (c2sp.org/tlog-proof@v1), verified offline: docs/ledger-format.md §5.2 and §6. */

import { commitmentMessage, decodeEntry, type Entry, MAX_COMMITMENTS } from "./entries";
import { malformed, VerifyFault } from "./faults";
import { hmacSha256, leafHash, sha256 } from "./hashing";
import { bytesOf, checkOrigin, parseBase64, parseBase64Hash, parseDecimal, sameBytes, textOf } from "./literals";
import { verifyInclusion } from "./merkle";
import { openNote, unopenedText, type VerifiedSignature } from "./notes";
import { demandQuorum, isInTime, type Policy } from "./policies";
import { canonicalJson, isMembers, type JsonMembers, type JsonValue, parseJson } from "./strict_json";

export const MAX_RECEIPT_BYTES = 1_048_576;
const MAX_PROOF_HASHES = 63;
const MAGIC = "c2sp.org/tlog-proof@v1";
const SALT_BYTES = 32;
const MAX_VALUE_BYTES = 4_096;

export interface Checkpoint {
  readonly origin: string;
  readonly size: bigint;
  readonly root: Uint8Array;
}

export interface SignedCheckpoint {
  readonly checkpoint: Checkpoint;
  /** The log's own among them. */
  readonly signatures: readonly VerifiedSignature[];
}

export interface VerifiedReceipt extends SignedCheckpoint {
  readonly entry: Entry;
  readonly leafHash: Uint8Array;
  readonly index: bigint;
  /** Field to value, each proven to be what the entry was made with. */
  readonly opened: ReadonlyMap<string, string>;
  /** Whom it was checked against. */
  readonly policy: Policy;
}

interface Opening {
  readonly value: string;
  readonly salt: Uint8Array<ArrayBuffer>;
}

interface Receipt {
  readonly leaf: Uint8Array<ArrayBuffer>;
  readonly openings: ReadonlyMap<string, Opening>;
  readonly index: bigint;
  readonly proof: readonly Uint8Array[];
  readonly note: string;
}

/** Reads and verifies the bytes of a `.tlog-proof` file. Asks nobody. Throws VerifyFault. */
export async function verifyReceipt(file: Uint8Array, policy: Policy): Promise<VerifiedReceipt> {
  const receipt = parseReceipt(file);
  const signed = await openCheckpoint(receipt.note, policy);
  const { checkpoint } = signed;
  const hashed = await leafHash(receipt.leaf);
  await verifyInclusion({ ...checkpoint, leaf: hashed, index: receipt.index, proof: receipt.proof });
  const entry = decodeEntry(receipt.leaf);
  if (entry.log !== checkpoint.origin) throw new VerifyFault("mismatch", "the entry was written for another log");
  for (const [field, opening] of receipt.openings) await verifyOpening(entry, field, opening);
  const opened = new Map([...receipt.openings].map(([field, { value }]) => [field, value]));
  return { ...signed, entry, leafHash: hashed, index: receipt.index, opened, policy };
}

/** Opens a signed checkpoint: the log itself must have signed, and enough witnesses with it. Throws VerifyFault. */
export async function openCheckpoint(note: string, policy: Policy): Promise<SignedCheckpoint> {
  if (policy.logs.length === 0) throw new VerifyFault("no_key", "no key of a log is trusted here");
  const opened = await openNote(note, [...policy.logs, ...policy.witnesses.values()]);
  const checkpoint = await parseCheckpoint(opened.text);
  // A key that had ended before is one that says nothing: whoever holds it now must not go on with the log.
  const signatures = opened.signatures.filter(({ key }) => isInTime(policy, key, checkpoint.size));
  // A trusted witness alone must not speak for the log, nor one log for another.
  if (!signatures.some(({ key }) => key.type === "log" && key.name === checkpoint.origin)) {
    const ended = opened.signatures.some(({ key }) => key.type === "log" && !isInTime(policy, key, checkpoint.size));
    const who = ended
      ? "only a former key, whose last tree was smaller,"
      : `no key trusted here and named ${checkpoint.origin}`;
    throw new VerifyFault("signature", `${who} has signed the checkpoint`);
  }
  demandQuorum(policy, signatures);
  return { checkpoint, signatures };
}

/** What a note says of the tree, whoever signed it: for showing what is refused, or could not be checked. Throws VerifyFault. */
export function claimedCheckpoint(note: string): Promise<Checkpoint> {
  return parseCheckpoint(unopenedText(note));
}

async function parseCheckpoint(text: string): Promise<Checkpoint> {
  const [origin = "", size = "", root = "", ...more] = text.split("\n");
  if (more.length !== 1 || more[0] !== "") throw malformed("a checkpoint has exactly three lines: origin, size, root");
  checkOrigin(origin);
  const checkpoint = { origin, size: parseDecimal(size, "the tree size"), root: parseBase64Hash(root, "the root") };
  if (checkpoint.size === 0n && !sameBytes(checkpoint.root, await sha256(new Uint8Array()))) {
    throw malformed("the root of an empty tree is the hash of nothing");
  }
  return checkpoint;
}

async function verifyOpening(entry: Entry, field: string, { value, salt }: Opening): Promise<void> {
  const commitment = entry.commitments.get(field);
  if (commitment === undefined)
    throw new VerifyFault("mismatch", `the receipt opens ${field}, which the entry does not commit to`);
  if (bytesOf(value, "a committed value").length > MAX_VALUE_BYTES) {
    throw new VerifyFault("opening", `a committed value has at most ${MAX_VALUE_BYTES} bytes`);
  }
  if (!sameBytes(await hmacSha256(salt, commitmentMessage(field, value)), commitment)) {
    throw new VerifyFault("opening", `the ${field} in the receipt is not the one that was committed to`);
  }
}

function parseReceipt(file: Uint8Array): Receipt {
  if (file.length > MAX_RECEIPT_BYTES) throw malformed(`a receipt has at most ${MAX_RECEIPT_BYTES} bytes`);
  const text = textOf(file, "the receipt");
  const end = text.indexOf("\n\n");
  const [magic, extra = "", index = "", ...proof] = text.slice(0, end === -1 ? undefined : end).split("\n");
  if (magic !== MAGIC) throw malformed(`a receipt begins with the line ${MAGIC}`);
  if (end === -1 || text.length === end + 2) throw malformed("the checkpoint of the receipt is missing");
  if (proof.length > MAX_PROOF_HASHES) throw malformed(`an inclusion proof has at most ${MAX_PROOF_HASHES} hashes`);
  return {
    ...parseExtra(after("extra ", extra)),
    index: parseDecimal(after("index ", index), "the index"),
    proof: proof.map((line) => parseBase64Hash(line, "a hash of the proof")),
    note: text.slice(end + 2),
  };
}

function after(label: string, line: string): string {
  if (!line.startsWith(label)) throw malformed(`a line of the receipt should begin with ${label.trim()}`);
  return line.slice(label.length);
}

function parseExtra(encoded: string): { leaf: Uint8Array<ArrayBuffer>; openings: ReadonlyMap<string, Opening> } {
  const what = "the extra line";
  const text = textOf(parseBase64(encoded, what), what);
  const extra = parseJson(text, what);
  const { leaf, openings } = exactly(extra, "leaf", "openings");
  if (typeof leaf !== "string" || !isMembers(openings) || openings.size > MAX_COMMITMENTS) {
    throw malformed(`${what} holds a leaf and at most ${MAX_COMMITMENTS} openings`);
  }
  if (canonicalJson(extra) !== text) throw malformed(`${what} is not in its canonical form (RFC 8785)`);
  return {
    leaf: bytesOf(leaf, "the leaf"),
    openings: new Map([...openings].map(([field, opening]) => [wellFormed(field), parseOpening(opening)])),
  };
}

function parseOpening(opening: JsonValue): Opening {
  const { salt, value } = exactly(opening, "salt", "value");
  if (typeof salt !== "string" || typeof value !== "string") throw malformed("an opening is a salt and a value");
  const bytes = parseBase64(salt, "a salt");
  if (bytes.length !== SALT_BYTES) throw malformed(`a salt has ${SALT_BYTES} bytes`);
  return { salt: bytes, value: wellFormed(value) };
}

function wellFormed(text: string): string {
  bytesOf(text, "the extra line");
  return text;
}

function exactly<Key extends string>(value: JsonValue, ...keys: readonly Key[]): Record<Key, JsonValue> {
  if (!isMembers(value) || value.size !== keys.length)
    throw malformed(`the extra line has exactly ${keys.join(" and ")} here`);
  return Object.fromEntries(keys.map((key) => [key, required(value, key)])) as Record<Key, JsonValue>;
}

function required(members: JsonMembers, key: string): JsonValue {
  const value = members.get(key);
  if (value === undefined) throw malformed(`the extra line lacks ${key}`);
  return value;
}
