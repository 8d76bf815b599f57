/** Whom a verifier trusts: logs, witnesses and the quorum, as c2sp.org/tlog-policy writes them. */

import { malformed, VerifyFault } from "./faults";
import type { VerifiedSignature, VerifierKey } from "./notes";
import { parseVerifierKey } from "./notes";
import { bytesOf, toHex } from "./literals";

const MAX_POLICY_BYTES = 131_072;
/** Of each kind: with the log's own signature, as many as a note can carry. */
const MAX_DEFINITIONS = 63;
const NOT_ALLOWED = /[\u0000-\u0008\u000b-\u001f\u007f]/;
const COUNT = /^[1-9][0-9]{0,3}$/;

export interface Policy {
  /** Former keys of a log stand beside its present one. */
  readonly logs: readonly VerifierKey[];
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

/** A policy that trusts these keys of the log and demands no witness. */
export function trusting(logs: readonly VerifierKey[]): Policy {
  return { logs, witnesses: new Map(), groups: new Map(), quorum: "none" };
}

/** Throws VerifyFault for whatever the specification does not allow. */
export async function parsePolicy(text: string): Promise<Policy> {
  const lines = text.split("\n");
  if (lines.pop() !== "") throw malformed("every line of a policy ends with a newline");
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
  const signed = new Set(signatures.map(({ key }) => `${key.name}+${key.keyId}`));
  const hasSigned = (name: string): boolean => {
    const witness = policy.witnesses.get(name);
    if (witness !== undefined) return signed.has(`${witness.name}+${witness.keyId}`);
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
    if (this.#logs.some((log) => isAmong([...this.#witnesses.values()], log))) throw malformed("a log is its own witness");
    if (Math.max(this.#logs.length, this.#witnesses.size, this.#groups.size) > MAX_DEFINITIONS) {
      throw malformed(`a policy has at most ${MAX_DEFINITIONS} logs, witnesses and groups`);
    }
    return { logs: this.#logs, witnesses: this.#witnesses, groups: this.#groups, quorum: this.#quorum };
  }

  async #log([key = "", , ...more]: readonly string[]): Promise<void> {
    const log = await parseVerifierKey(key);
    if (more.length > 0 || log.type !== "log" || isAmong(this.#logs, log)) throw malformed("a log is a key of its own, and an address");
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
    if (threshold < 1 || threshold > members.length) throw malformed("a group needs a number of its members, any or all");
    for (const member of members) {
      if (!this.#isDefined(member) || this.#members.has(member)) throw malformed("a member of a group is defined before, and in one group");
      this.#members.add(member);
    }
    this.#groups.set(name, { threshold, members });
  }

  #setQuorum([name = "", ...more]: readonly string[]): void {
    const isKnown = name === "none" || this.#isDefined(name);
    if (this.#quorum !== null || more.length > 0 || !isKnown) throw malformed("a policy has one quorum, defined before");
    this.#quorum = name;
  }

  #checkFresh(name: string): void {
    if (name === "" || name === "none" || this.#isDefined(name)) throw malformed("a name in a policy is given once, and none is taken");
  }

  #isDefined(name: string): boolean {
    return this.#witnesses.has(name) || this.#groups.has(name);
  }
}

/** The same key under another name is the same key. */
function isAmong(keys: readonly VerifierKey[], key: VerifierKey): boolean {
  return keys.some(({ publicKey }) => toHex(publicKey) === toHex(key.publicKey));
}
