/** Proofs over the Merkle tree of RFC 6962 §2.1, verified after RFC 9162 §2.1.3 and §2.1.4. */

import { VerifyFault } from "./faults";
import { nodeHash } from "./hashing";
import { HASH_BYTES, sameBytes } from "./literals";

export interface Inclusion {
  readonly leaf: Uint8Array;
  readonly index: bigint;
  readonly size: bigint;
  /** From the leaf's sibling to the root's child. */
  readonly proof: readonly Uint8Array[];
  readonly root: Uint8Array;
}

export interface Consistency {
  readonly oldSize: bigint;
  readonly oldRoot: Uint8Array;
  readonly newSize: bigint;
  readonly newRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** Throws VerifyFault unless the leaf hash stands at the index in the tree of this size and root. */
export async function verifyInclusion({ leaf, index, size, proof, root }: Inclusion): Promise<void> {
  checkHashes(leaf, root, ...proof);
  if (index >= size) throw refused(`index ${index} lies outside a tree of ${size} entries`);
  let place = { node: index, last: size - 1n };
  let computed = leaf;
  for (const sibling of proof) {
    if (place.last === 0n) throw refused("the inclusion proof is too long");
    const isRight = isRightOrUnpaired(place);
    computed = isRight ? await nodeHash(sibling, computed) : await nodeHash(computed, sibling);
    place = above(isRight ? withoutUnpaired(place) : place);
  }
  if (place.last !== 0n) throw refused("the inclusion proof is too short");
  if (!sameBytes(computed, root)) throw refused("the inclusion proof does not lead to the root of the tree");
}

/** Throws VerifyFault unless the new tree extends the old one. Every tree extends the empty one: that proves nothing. */
export async function verifyConsistency({ oldSize, oldRoot, newSize, newRoot, proof }: Consistency): Promise<void> {
  if (oldSize < 1n || newSize < oldSize) throw refused(`a tree of ${newSize} entries cannot extend one of ${oldSize}`);
  if (oldSize === newSize) {
    if (proof.length > 0 || !sameBytes(oldRoot, newRoot)) throw refused("two trees of one size have one root");
    return;
  }
  checkHashes(oldRoot, newRoot, ...proof);
  // A complete old tree is itself the first node of the path.
  const [first, ...path] = (oldSize & (oldSize - 1n)) === 0n ? [oldRoot, ...proof] : proof;
  if (first === undefined) throw refused("the consistency proof is too short");
  let place = { node: oldSize - 1n, last: newSize - 1n };
  while (isOdd(place.node)) place = above(place);
  let [older, newer] = [first, first];
  for (const sibling of path) {
    if (place.last === 0n) throw refused("the consistency proof is too long");
    const isRight = isRightOrUnpaired(place);
    if (isRight) older = await nodeHash(sibling, older);
    newer = isRight ? await nodeHash(sibling, newer) : await nodeHash(newer, sibling);
    place = above(isRight ? withoutUnpaired(place) : place);
  }
  if (place.last !== 0n) throw refused("the consistency proof is too short");
  if (!sameBytes(older, oldRoot) || !sameBytes(newer, newRoot)) {
    throw refused("the consistency proof does not lead from the old root to the new root");
  }
}

/** A node of the path, and the last node of its row. */
interface Place {
  readonly node: bigint;
  readonly last: bigint;
}

function isOdd(number: bigint): boolean {
  return (number & 1n) === 1n;
}

function isRightOrUnpaired({ node, last }: Place): boolean {
  return isOdd(node) || node === last;
}

function above({ node, last }: Place): Place {
  return { node: node >> 1n, last: last >> 1n };
}

/** Climbs past the rows on which a left node has no sibling. */
function withoutUnpaired(place: Place): Place {
  let climbed = place;
  while (climbed.node !== 0n && !isOdd(climbed.node)) climbed = above(climbed);
  return climbed;
}

function checkHashes(...hashes: readonly Uint8Array[]): void {
  if (hashes.some((hash) => hash.length !== HASH_BYTES))
    throw refused(`a hash of the proof is not ${HASH_BYTES} bytes`);
}

function refused(message: string): VerifyFault {
  return new VerifyFault("proof", message);
}
