/** Whom a verifier trusts: logs, witnesses and the quorum, as c2sp.org/tlog-policy writes them. */

import { malformed, VerifyFault } from "./faults";
import { bytesOf, parseDecimal, toHex } from "./literals";
import type { VerifiedSignature, VerifierKey } from "./notes";
import { parseVerifierKey } from "./notes";

const MAX_POLICY_BYTES = 131_072;
/** Of each kind: with the log's own signature, as many as a note can carry. */
const MAX_DEFINITIONS = 63;
const NOT_ALLOWED = /[\u0000-\u0008\u000b-\u001f\u007f]/;
const COUNT = /^[1-9][0-9]{0,3}$/;
const FORMER = /^([0-9]+) (.*)$/s;
const MAX_KEY_LIST_BYTES = 65_536;
const MAX_LISTED_KEYS = 64;
/** The carriage return for files whose lines end as Windows has them. */
const AROUND_A_LINE = /^[ \t\r]+|[ \t\r]+$/g;

export interface Policy {
  /** Former keys of a log stand beside its present one. */
  readonly logs: readonly VerifierKey[];
  /** By `signerOf` a former key: how many entries the last tree had that it signed. On a larger one it says nothing. */
  readonly lastSizes: ReadonlyMap<string, bigint>;
  /** By the policy's own names for them. */
  readonly witnesses: ReadonlyMap<string, VerifierKey>;
  readonly groups: ReadonlyMap<string, Group>;
  /** A witness, a group, or `none`. */
  readonly quorum: string;
}

interface Group {
  readonly threshold: number;
  readonly members: readonly string[];
}

/** A key as a list of them has it (docs/ledger-format.md §5.3); `lastSize` is null for one that still signs. */
export interface ListedKey {
  readonly key: VerifierKey;
  readonly lastSize: bigint | null;
}

/** One line of a key list: a verifier key or, for a former one, its last tree's size, a space, and the key. */
export async function parseListedKey(line: string): Promise<ListedKey> {
  const [, size, text = line] = FORMER.exec(line) ?? [];
  const key = await parseVerifierKey(text);
  if (key.type !== "log") throw malformed("a list of the log's keys holds a witness's");
  return { key, lastSize: size === undefined ? null : parseDecimal(size, "the size of a former key's last tree") };
}

/**
 * A key list (docs/ledger-format.md §5.3): a key a line; empty lines and those that begin with # say nothing.
 *
 * Lines end with newlines alone: what other characters end one differs from reader to reader, and a comment is a line.
 */
export async function parseKeyList(text: string): Promise<ListedKey[]> {
  if (bytesOf(text, "a key list").length > MAX_KEY_LIST_BYTES)
    throw malformed(`a key list has at most ${MAX_KEY_LIST_BYTES} bytes`);
  const lines = text.split("\n").map((line) => line.replace(AROUND_A_LINE, ""));
  const said = lines.filter((line) => line !== "" && !line.startsWith("#"));
  if (said.length > MAX_LISTED_KEYS) throw malformed(`a key list has at most ${MAX_LISTED_KEYS} keys`);
  return Promise.all(said.map(parseListedKey));
}

/** A policy that trusts these keys of the log and demands no witness. */
export function trusting(keys: readonly ListedKey[]): Policy {
  const logs = keys.map(({ key }) => key);
  return withLastSizes({ logs, lastSizes: new Map(), witnesses: new Map(), groups: new Map(), quorum: "none" }, keys);
}

/** The same policy, in which the former keys among these count up to their last size: a policy's text has no place for it. */
export function withLastSizes(policy: Policy, keys: readonly ListedKey[]): Policy {
  const lastSizes = new Map(policy.lastSizes);
  for (const { key, lastSize } of keys) {
    const known = lastSizes.get(signerOf(key));
    if (lastSize !== null && (known === undefined || lastSize < known)) lastSizes.set(signerOf(key), lastSize);
  }
  return { ...policy, lastSizes };
}

/** What a signature line says of its key. */
export function signerOf({ name, keyId }: VerifierKey): string {
  return `${name}+${keyId}`;
}

/** Whether this key could still sign a tree of this size. */
export function isInTime(policy: Policy, key: VerifierKey, size: bigint): boolean {
  const lastSize = policy.lastSizes.get(signerOf(key));
  return lastSize === undefined || size <= lastSize;
}

/** Throws VerifyFault for whatever the specification does not allow. */
export async function parsePolicy(text: string): Promise<Policy> {
  const lines = text.split("\n");
  if (lines.pop() !== "") throw malformed("every line of a policy ends with a newline, the last one too");
  const isTooLong = bytesOf(text, "the policy").length > MAX_POLICY_BYTES;
  if (isTooLong || NOT_ALLOWED.test(text)) throw malformed("the policy is too long or holds control characters");
  const reader = new PolicyReader();
  for (const line of lines) {
    const words = line.split(/[ \t]+/).filter((word) => word !== "");
    if (words.length > 0 && !words[0]?.startsWith("#")) await reader.take(words);
  }
  return reader.policy();
}

/** Whether these signatures are of enough witnesses. `none` is always met. */
export function isQuorumMet(policy: Policy, signatures: readonly VerifiedSignature[]): boolean {
  const signed = new Set(signatures.map(({ key }) => signerOf(key)));
  const hasSigned = (name: string): boolean => {
    const witness = policy.witnesses.get(name);
    if (witness !== undefined) return signed.has(signerOf(witness));
    const group = policy.groups.get(name);
    return group !== undefined && group.members.filter(hasSigned).length >= group.threshold;
  };
  return policy.quorum === "none" || hasSigned(policy.quorum);
}

/** Throws VerifyFault of the kind `quorum`. */
export function demandQuorum(policy: Policy, signatures: readonly VerifiedSignature[]): void {
  if (!isQuorumMet(policy, signatures)) {
    throw new VerifyFault("quorum", `too few witnesses have signed for the quorum ${policy.quorum}`);
  }
}

class PolicyReader {
  readonly #logs: VerifierKey[] = [];
  readonly #witnesses = new Map<string, VerifierKey>();
  readonly #groups = new Map<string, Group>();
  readonly #members = new Set<string>();
  #quorum: string | null = null;

  async take([word = "", ...rest]: readonly string[]): Promise<void> {
    if (word === "log") return this.#log(rest);
    if (word === "witness") return this.#witness(rest);
    if (word === "group") return this.#group(rest);
    if (word === "quorum") return this.#setQuorum(rest);
    throw malformed("a line of a policy begins with log, witness, group or quorum");
  }

  policy(): Policy {
    if (this.#quorum === null) throw malformed("a policy has one quorum line");
    if (this.#logs.some((log) => isAmong([...this.#witnesses.values()], log)))
      throw malformed("a log is its own witness");
    if (Math.max(this.#logs.length, this.#witnesses.size, this.#groups.size) > MAX_DEFINITIONS) {
      throw malformed(`a policy has at most ${MAX_DEFINITIONS} logs, witnesses and groups`);
    }
    return {
      logs: this.#logs,
      lastSizes: new Map(),
      witnesses: this.#witnesses,
      groups: this.#groups,
      quorum: this.#quorum,
    };
  }

  async #log([key = "", , ...more]: readonly string[]): Promise<void> {
    const log = await parseVerifierKey(key);
    if (more.length > 0 || log.type !== "log" || isAmong(this.#logs, log))
      throw malformed("a log is a key of its own, and an address");
    this.#logs.push(log);
  }

  async #witness([name = "", key = "", , ...more]: readonly string[]): Promise<void> {
    this.#checkFresh(name);
    const witness = await parseVerifierKey(key);
    if (more.length > 0 || witness.type !== "witness" || isAmong([...this.#witnesses.values()], witness)) {
      throw malformed("a witness is a name, a key of its own, and an address");
    }
    this.#witnesses.set(name, witness);
  }

  #group([name = "", count = "", ...members]: readonly string[]): void {
    this.#checkFresh(name);
    const threshold = count === "any" ? 1 : count === "all" ? members.length : COUNT.test(count) ? Number(count) : 0;
    if (threshold < 1 || threshold > members.length)
      throw malformed("a group needs a number of its members, any or all");
    for (const member of members) {
      if (!this.#isDefined(member) || this.#members.has(member))
        throw malformed("a member of a group is defined before, and in one group");
      this.#members.add(member);
    }
    this.#groups.set(name, { threshold, members });
  }

  #setQuorum([name = "", ...more]: readonly string[]): void {
    const isKnown = name === "none" || this.#isDefined(name);
    if (this.#quorum !== null || more.length > 0 || !isKnown)
      throw malformed("a policy has one quorum, defined before");
    this.#quorum = name;
  }

  #checkFresh(name: string): void {
    if (name === "" || name === "none" || this.#isDefined(name))
      throw malformed("a name in a policy is given once, and none is taken");
  }

  #isDefined(name: string): boolean {
    return this.#witnesses.has(name) || this.#groups.has(name);
  }
}

/** The same key under another name is the same key. */
function isAmong(keys: readonly VerifierKey[], key: VerifierKey): boolean {
  return keys.some(({ publicKey }) => toHex(publicKey) === toHex(key.publicKey));
}
