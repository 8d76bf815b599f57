/** Signed notes (c2sp.org/signed-note), the log's signature (Ed25519, 0x01) and witnesses' (cosignature/v1, 0x04). */

import { isSignature } from "./ed25519";
import { malformed, VerifyFault } from "./faults";
import { sha256 } from "./hashing";
import { bytesOf, joined, MAX_INTEGER, parseBase64, toHex } from "./literals";

export const MAX_NOTE_BYTES = 131_072;
const MAX_SIGNATURES = 64;
const MAX_NAME_LENGTH = 200;
const KEY_ID_BYTES = 4;
const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const TIMESTAMP_BYTES = 8;
const MARK = "\u2014 ";

const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;
/** What Unicode calls a space, and the plus that separates the parts of a key. */
const NOT_IN_NAME = /[+\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;
const KEY = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/s;

/** `log`: signs its checkpoints. `witness`: saw that the log only grew, and says when. */
export type SignerType = "log" | "witness";

const TYPE_OF: ReadonlyMap<number, SignerType> = new Map([
  [0x01, "log"],
  [0x04, "witness"],
]);

export interface VerifierKey {
  readonly name: string;
  readonly type: SignerType;
  readonly keyId: string;
  readonly publicKey: Uint8Array;
}

export interface VerifiedSignature {
  readonly key: VerifierKey;
  /** When a witness signed, seconds since 1970; null for the log, which says no time. */
  readonly seconds: bigint | null;
}

export interface OpenedNote {
  /** Final newline included. */
  readonly text: string;
  /** By trusted keys, and true. Never empty. */
  readonly signatures: readonly VerifiedSignature[];
}

/** Reads `name+key id+base64(type || public key)`. Throws VerifyFault, also when the key id is not its own. */
export async function parseVerifierKey(text: string): Promise<VerifierKey> {
  const [, name = "", keyId = "", encoded = ""] = KEY.exec(text) ?? [];
  checkName(name);
  const value = parseBase64(encoded, "the verifier key");
  const type = TYPE_OF.get(value[0] ?? 0);
  if (type === undefined || value.length !== 1 + PUBLIC_KEY_BYTES) {
    throw malformed("a verifier key here is an Ed25519 key of a log (type 1) or a witness (type 4)");
  }
  const digest = await sha256(joined(bytesOf(`${name}\n`, "the key's name"), value));
  if (toHex(digest.subarray(0, KEY_ID_BYTES)) !== keyId) throw malformed("the verifier key's id is not its own");
  return { name, type, keyId, publicKey: value.subarray(1) };
}

/**
 * Opens a note with the keys one trusts: signatures by unknown keys mean nothing; every one by a known key must be true.
 *
 * Throws VerifyFault, also when no trusted key has signed.
 */
export async function openNote(note: string, trusted: readonly VerifierKey[]): Promise<OpenedNote> {
  const { text, lines } = split(note);
  const signatures: VerifiedSignature[] = [];
  for (const line of lines) {
    // Key ids are short: two trusted keys may share theirs and their name. What names both must be true for both.
    const named = trusted.filter(({ name, keyId }) => name === line.name && keyId === line.keyId);
    const [signature] = await Promise.all(named.map((key) => verified(key, text, line.signature)));
    if (signature !== undefined) signatures.push(signature);
  }
  if (signatures.length === 0) throw new VerifyFault("signature", "it carries no signature by a key trusted here");
  return { text, signatures };
}

/** The text of a note, of which nothing is known until it is opened. Throws VerifyFault. */
export function unopenedText(note: string): string {
  return split(note).text;
}

async function verified(
  key: VerifierKey,
  text: string,
  signature: Uint8Array<ArrayBuffer>,
): Promise<VerifiedSignature> {
  const { message, seconds, bare } =
    key.type === "log" ? { message: text, seconds: null, bare: signature } : cosigned(text, signature);
  const isTrue =
    bare.length === SIGNATURE_BYTES && (await isSignature(bare, bytesOf(message, "a note"), key.publicKey));
  if (!isTrue)
    throw new VerifyFault("signature", `the signature by ${key.name} is false: text or signature was changed`);
  return { key, seconds };
}

/** A cosignature is a time and a signature over that time and the note's text (c2sp.org/tlog-cosignature). */
function cosigned(
  text: string,
  signature: Uint8Array<ArrayBuffer>,
): { message: string; seconds: bigint; bare: Uint8Array } {
  if (signature.length !== TIMESTAMP_BYTES + SIGNATURE_BYTES) {
    throw new VerifyFault("signature", "a witness's signature has another length than a time and a signature");
  }
  const seconds = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0);
  if (seconds > MAX_INTEGER) throw new VerifyFault("signature", "a witness signed at a time that does not exist");
  return { message: `cosignature/v1\ntime ${seconds}\n${text}`, seconds, bare: signature.subarray(TIMESTAMP_BYTES) };
}

interface SignatureLine {
  readonly name: string;
  readonly keyId: string;
  readonly signature: Uint8Array<ArrayBuffer>;
}

function split(note: string): { text: string; lines: readonly SignatureLine[] } {
  if (bytesOf(note, "a note").length > MAX_NOTE_BYTES) throw malformed(`a note has at most ${MAX_NOTE_BYTES} bytes`);
  if (CONTROL.test(note)) throw malformed("a note has no control characters but the newline");
  const end = note.lastIndexOf("\n\n");
  if (end < 1) throw malformed("a note is a text, an empty line, and signatures");
  const lines = note.slice(end + 2).split("\n");
  if (lines.pop() !== "" || lines.length < 1 || lines.length > MAX_SIGNATURES) {
    throw malformed(`a note ends with 1 to ${MAX_SIGNATURES} signature lines, each with its newline`);
  }
  return { text: note.slice(0, end + 1), lines: lines.map(signatureLine) };
}

function signatureLine(line: string): SignatureLine {
  if (!line.startsWith(MARK)) throw malformed("a signature line begins with an em dash and a space");
  const space = line.indexOf(" ", MARK.length);
  const name = line.slice(MARK.length, space === -1 ? undefined : space);
  checkName(name);
  const value = parseBase64(space === -1 ? "" : line.slice(space + 1), "a signature");
  if (value.length <= KEY_ID_BYTES) throw malformed("a signature line holds a key id and a signature");
  return { name, keyId: toHex(value.subarray(0, KEY_ID_BYTES)), signature: value.slice(KEY_ID_BYTES) };
}

function checkName(name: string): void {
  const length = [...name].length;
  if (length < 1 || length > MAX_NAME_LENGTH || NOT_IN_NAME.test(name) || CONTROL.test(name)) {
    throw malformed(`a key's name has 1 to ${MAX_NAME_LENGTH} characters without spaces or plus`);
  }
}
