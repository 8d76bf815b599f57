/** One entry of the ledger, version 1: docs/ledger-format.md §2, read strictly. */

import { malformed, VerifyFault } from "./faults";
import { bytesOf, checkOrigin, parseDecimal, parseHexHash, textOf } from "./literals";
import {
  canonicalJson,
  isList,
  isMembers,
  type JsonMembers,
  JsonNumber,
  type JsonValue,
  parseJson,
} from "./strict_json";

export const MAX_LEAF_BYTES = 65_535;
const MAX_TRANSFERS = 200;
export const MAX_COMMITMENTS = 32;

const ID = "[a-z]{2,16}_[0-9a-z]{1,64}";
const OWNER = `(?:platform|${ID})`;
const CODE = "[a-z][a-z0-9_]{0,63}";
const ENTRY_ID = /^ent_[0-9a-z]{1,64}$/;
const OWNER_ONLY = new RegExp(`^${OWNER}$`);
const ACCOUNT = new RegExp(`^${OWNER}/${CODE}(?:/[0-9A-Za-z][0-9A-Za-z_]{0,79})?$`);
export const FIELD = new RegExp(`^${CODE}$`);
const CURRENCY = /^[A-Z]{3}$/;
const KIND = /^(?=.{3,64}$)[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+$/;
const LINE = /^(ent_[0-9a-z]{1,64})#(0|[1-9][0-9]{0,2})$/;
const REFERENCE = /^(?=.{3,255}$)[a-z][a-z0-9_]*(?::[0-9A-Za-z._-]+)+$/;
const MINUTE = /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2})Z$/;
const VERSION = /^[1-9][0-9]{0,3}$/;

export type Phase = "pending" | "post" | "void";

export interface VerifiedTransfer {
  readonly debit: string;
  readonly credit: string;
  readonly currency: string;
  readonly amountMinor: bigint;
  /** Null when posted at once. */
  readonly phase: Phase | null;
  /** The transfer that a `post` or `void` resolves, as `entry id#line`. */
  readonly pending: string | null;
}

export interface Entry {
  readonly log: string;
  readonly id: string;
  readonly kind: string;
  /** UTC, to the minute: `2026-11-21T07:44Z`. */
  readonly ts: string;
  readonly org: string;
  readonly orgSeq: bigint;
  readonly transfers: readonly VerifiedTransfer[];
  readonly reverses: string | null;
  readonly reason: string | null;
  readonly commitments: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** Throws VerifyFault: `unknown_version` for a later format, `malformed` for everything that no writer would write. */
export function decodeEntry(raw: Uint8Array): Entry {
  if (raw.length > MAX_LEAF_BYTES) throw malformed(`an entry has at most ${MAX_LEAF_BYTES} bytes`);
  const text = textOf(raw, "the entry");
  const leaf = parseJson(text, "the entry");
  if (!isMembers(leaf)) throw malformed("an entry is a JSON object");
  checkVersion(leaf.get("v"));
  if (raw.some((byte) => byte > 0x7f)) throw malformed("an entry is pure ASCII");
  const entry = entryFrom(leaf);
  if (canonicalJson(leaf) !== text) throw malformed("the entry's JSON is not in its canonical form (RFC 8785)");
  return entry;
}

function checkVersion(version: JsonValue | undefined): void {
  if (!(version instanceof JsonNumber) || !VERSION.test(version.literal)) {
    throw malformed("an entry says its version as the number v, from 1");
  }
  if (version.literal !== "1") {
    throw new VerifyFault(
      "unknown_version",
      `the entry is of version ${version.literal}, and only version 1 is known here`,
    );
  }
}

const REQUIRED = ["v", "log", "id", "kind", "ts", "org", "org_seq", "transfers"] as const;
const OPTIONAL = ["org_prev", "ref", "reverses", "supersedes", "matches", "reason", "commitments"] as const;

function entryFrom(leaf: JsonMembers): Entry {
  checkKeys(leaf, REQUIRED, OPTIONAL, "the entry");
  const log = textAt(leaf, "log");
  checkOrigin(log);
  const id = matching(ENTRY_ID, textAt(leaf, "id"), "the entry id");
  optionalMatching(REFERENCE, leaf, "ref");
  const [reverses] = ["reverses", "supersedes", "matches"].map((key) => another(leaf, key, id));
  return {
    log,
    id,
    kind: matching(KIND, textAt(leaf, "kind"), "the kind"),
    ts: minute(textAt(leaf, "ts")),
    org: matching(OWNER_ONLY, textAt(leaf, "org"), "the organisation"),
    orgSeq: chained(leaf),
    transfers: transfersFrom(leaf.get("transfers"), id),
    reverses: reverses ?? null,
    reason: optionalMatching(FIELD, leaf, "reason"),
    commitments: commitmentsFrom(leaf),
  };
}

/** An organisation's first entry has no previous one, and all others have. */
function chained(leaf: JsonMembers): bigint {
  const sequence = parseDecimal(textAt(leaf, "org_seq"), "org_seq");
  if ((sequence === 0n) === leaf.has("org_prev")) throw malformed("org_prev is absent exactly for org_seq 0");
  if (leaf.has("org_prev")) parseHexHash(textAt(leaf, "org_prev"), "org_prev");
  return sequence;
}

function another(leaf: JsonMembers, key: string, id: string): string | null {
  const other = optionalMatching(ENTRY_ID, leaf, key);
  if (other === id) throw malformed(`${key} must name another entry`);
  return other;
}

function transfersFrom(value: JsonValue | undefined, id: string): readonly VerifiedTransfer[] {
  if (!isList(value)) throw malformed("transfers must be a list");
  const transfers = value.map(transferFrom);
  if (transfers.length < 1 || transfers.length > MAX_TRANSFERS) {
    throw malformed(`an entry has 1 to ${MAX_TRANSFERS} transfers`);
  }
  const resolved = transfers.flatMap(({ pending }) => (pending === null ? [] : [pending]));
  if (new Set(resolved).size !== resolved.length) throw malformed("a pending transfer is resolved twice in one entry");
  if (resolved.some((line) => line.startsWith(`${id}#`))) throw malformed("an entry resolves a transfer of its own");
  return transfers;
}

function transferFrom(value: JsonValue): VerifiedTransfer {
  if (!isMembers(value)) throw malformed("a transfer must be an object");
  checkKeys(value, ["d", "c", "cur", "amt"], ["phase", "pending"], "a transfer");
  const transfer = {
    debit: matching(ACCOUNT, textAt(value, "d"), "the debited account"),
    credit: matching(ACCOUNT, textAt(value, "c"), "the credited account"),
    currency: matching(CURRENCY, textAt(value, "cur"), "the currency"),
    amountMinor: parseDecimal(textAt(value, "amt"), "an amount"),
    phase: value.has("phase") ? phaseOf(textAt(value, "phase")) : null,
    pending: value.has("pending") ? pendingLine(textAt(value, "pending")) : null,
  };
  if (transfer.debit === transfer.credit) throw malformed("a transfer needs two different accounts");
  if (transfer.amountMinor === 0n) throw malformed("a transfer moves more than nothing");
  if ((transfer.phase === "post" || transfer.phase === "void") !== (transfer.pending !== null)) {
    throw malformed("exactly the phases post and void name the pending transfer they resolve");
  }
  return transfer;
}

function phaseOf(text: string): Phase {
  if (text !== "pending" && text !== "post" && text !== "void") throw malformed("a phase is pending, post or void");
  return text;
}

function pendingLine(text: string): string {
  const [, , line = ""] = LINE.exec(text) ?? [];
  if (line === "" || Number(line) >= MAX_TRANSFERS) throw malformed("a pending transfer is named as entry#line");
  return text;
}

function commitmentsFrom(leaf: JsonMembers): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
  const value = leaf.get("commitments");
  if (value === undefined) return new Map();
  if (!isMembers(value) || value.size < 1 || value.size > MAX_COMMITMENTS) {
    throw malformed(`commitments are an object of 1 to ${MAX_COMMITMENTS} fields, or absent`);
  }
  return new Map(
    [...value.keys()].map((field) => [
      matching(FIELD, field, "a commitment's field"),
      parseHexHash(textAt(value, field), "a commitment"),
    ]),
  );
}

/** A minute that exists, of the years 0001 to 9999. */
function minute(text: string): string {
  const [year = 0, month = 0, day = 0, hour = 0, minutes = 0] = (MINUTE.exec(text) ?? []).slice(1).map(Number);
  const exists =
    year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month) && hour < 24 && minutes < 60;
  if (!exists) throw malformed("a time is a minute that exists, like 2026-11-21T07:44Z");
  return text;
}

function daysIn(year: number, month: number): number {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return month === 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
}

function checkKeys(found: JsonMembers, required: readonly string[], optional: readonly string[], what: string): void {
  if (required.some((key) => !found.has(key))) throw malformed(`${what} lacks a key`);
  for (const key of found.keys()) {
    if (!required.includes(key) && !optional.includes(key))
      throw malformed(`${what} has a key that version 1 does not have`);
  }
}

function textAt(found: JsonMembers, key: string): string {
  const value = found.get(key);
  if (typeof value !== "string") throw malformed(`${key} must be a string`);
  return value;
}

function matching(pattern: RegExp, text: string, what: string): string {
  if (!pattern.test(text)) throw malformed(`${what} is malformed`);
  return text;
}

function optionalMatching(pattern: RegExp, found: JsonMembers, key: string): string | null {
  return found.has(key) ? matching(pattern, textAt(found, key), key) : null;
}

/** HMAC-SHA-256's message for a field's value: docs/ledger-format.md §2.4. */
export function commitmentMessage(field: string, value: string): Uint8Array<ArrayBuffer> {
  const encoded = bytesOf(value, "a committed value");
  const message = new Uint8Array(CONTEXT.length + field.length + 5 + encoded.length);
  message.set(CONTEXT);
  message.set(bytesOf(field, "a field"), CONTEXT.length);
  new DataView(message.buffer).setUint32(CONTEXT.length + field.length + 1, encoded.length);
  message.set(encoded, CONTEXT.length + field.length + 5);
  return message;
}

const CONTEXT = new TextEncoder().encode("amply/commitment/v1\0");
