/** The tree as static files (c2sp.org/tlog-tiles): docs/ledger-format.md §4. Reads what it is asked to prove and no more. */

import { malformed, VerifyFault } from "./faults";
import { leafHash, nodeHash } from "./hashing";
import { HASH_BYTES } from "./literals";
import { verifyInclusion } from "./merkle";

export const TILE_WIDTH = 256;
const TILE_HEIGHT = 8;
const MAX_ENTRY_BYTES = 65_535;
export const MAX_TILE_BYTES = TILE_WIDTH * HASH_BYTES;
export const MAX_BUNDLE_BYTES = TILE_WIDTH * (2 + MAX_ENTRY_BYTES);
const WIDE = BigInt(TILE_WIDTH);

/** A hash tile, by how many hashes (1 to 256) it has in the tree at hand. */
export interface Tile {
  readonly level: number;
  readonly index: bigint;
  readonly width: number;
}

/** May return a wider version of the tile: a tile only ever grows at its end. */
export type TileReader = (tile: Tile) => Promise<Uint8Array>;

export interface Tree {
  readonly size: bigint;
  readonly root: Uint8Array;
}

export function tilePath({ level, index, width }: Tile): string {
  return `tile/${level}/${place(index, width)}`;
}

export function bundlePath(index: bigint, width: number): string {
  return `tile/entries/${place(index, width)}`;
}

/** How many entries the bundle has in a tree of this size. */
export function bundleWidth(index: bigint, size: bigint): number {
  const rest = size - index * WIDE;
  return Number(rest < WIDE ? rest : WIDE);
}

/** Entries one after another, each behind its length in two bytes, the high one first. Throws VerifyFault. */
export function decodeBundle(bundle: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(bundle.buffer, bundle.byteOffset, bundle.byteLength);
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at < bundle.length) {
    const start = at + 2;
    at = start <= bundle.length ? start + view.getUint16(at) : Infinity;
    if (at > bundle.length) throw malformed("a file of its entries is cut short");
    if (at === start) throw malformed("a file of its entries holds an empty one");
    if (entries.length === TILE_WIDTH) throw malformed(`a file of its entries holds more than ${TILE_WIDTH}`);
    entries.push(bundle.subarray(start, at));
  }
  if (entries.length === 0) throw malformed("a file of its entries is empty");
  return entries;
}

/**
 * Throws VerifyFault unless exactly these entries are the tree's bundle at this index.
 *
 * Above bundles the tree has the shape of one whose leaves are the bundles' roots, the last of them perhaps of fewer
 * entries: RFC 6962 splits at powers of two. So one proof, from the few tiles on its way, holds all entries of a bundle.
 */
export async function verifyBundle(
  entries: readonly Uint8Array[],
  index: bigint,
  { size, root }: Tree,
  readTile: TileReader,
): Promise<void> {
  if (index < 0n || index * WIDE >= size || entries.length !== bundleWidth(index, size)) {
    throw refused("a file of its entries does not hold as many as its place in the tree");
  }
  const proof = await bundleProof(index, size, readTile);
  const leaf = await rootOf(await Promise.all(entries.map(leafHash)));
  try {
    await verifyInclusion({ leaf, index, size: (size + WIDE - 1n) / WIDE, proof, root });
  } catch (fault) {
    if (!(fault instanceof VerifyFault)) throw fault;
    throw refused("the entries and tiles that are published do not give the root that is signed");
  }
}

/** PATH of RFC 6962 §2.1.1 for a bundle's root instead of a leaf: from its sibling to the root's child. */
export async function bundleProof(index: bigint, size: bigint, readTile: TileReader): Promise<Uint8Array[]> {
  const proof: Uint8Array[] = [];
  let start = 0n;
  let end = size;
  while (end - start > WIDE) {
    const middle = start + largestPowerBelow(end - start);
    const isLeft = index * WIDE < middle;
    proof.push(await rangeRoot(isLeft ? middle : start, isLeft ? end : middle, size, readTile));
    if (isLeft) end = middle;
    else start = middle;
  }
  return proof.reverse();
}

/** The root over the leaves from `start` to `end`, where `start` is a multiple of every complete subtree within. */
async function rangeRoot(start: bigint, end: bigint, size: bigint, readTile: TileReader): Promise<Uint8Array> {
  const roots: Uint8Array[] = [];
  for (let from = start; from < end; ) {
    const height = bitLength(end - from) - 1;
    roots.push(await subtreeRoot(height, from >> BigInt(height), size, readTile));
    from += 1n << BigInt(height);
  }
  let [root, ...higher] = roots.reverse();
  if (root === undefined) throw refused("a range without entries has no root");
  for (const left of higher) root = await nodeHash(left, root);
  return root;
}

/** The root of the complete subtree of 2^height leaves that is the `position`-th of its kind. */
async function subtreeRoot(height: number, position: bigint, size: bigint, readTile: TileReader): Promise<Uint8Array> {
  const level = Math.floor(height / TILE_HEIGHT);
  const rise = BigInt(height % TILE_HEIGHT);
  const first = position << rise;
  const index = first / WIDE;
  const count = (size >> BigInt(TILE_HEIGHT * level)) - index * WIDE;
  const width = Number(count < WIDE ? count : WIDE);
  const hashes = splitHashes(await readTile({ level, index, width }), width);
  const offset = Number(first % WIDE);
  return rootOf(hashes.slice(offset, offset + (1 << Number(rise))));
}

function splitHashes(tile: Uint8Array, width: number): Uint8Array[] {
  if (tile.length % HASH_BYTES !== 0 || tile.length < width * HASH_BYTES || tile.length > MAX_TILE_BYTES) {
    throw malformed(`a tile of its tree has not the ${width} hashes that it should have`);
  }
  return Array.from({ length: width }, (_, at) => tile.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES));
}

/** The Merkle tree's root over 1 to 256 hashes. */
async function rootOf(hashes: readonly Uint8Array[]): Promise<Uint8Array> {
  let row = hashes;
  while (row.length > 1) {
    const pairs = Array.from({ length: Math.ceil(row.length / 2) }, (_, at) => row.slice(2 * at, 2 * at + 2));
    // An unpaired last node goes up as it is: on the row above it is the right child that RFC 6962 gives it.
    row = await Promise.all(pairs.map(async ([left, right]) => (right === undefined ? left! : nodeHash(left!, right))));
  }
  if (row[0] === undefined) throw refused("no hashes have no root here");
  return row[0];
}

/** RFC 6962's k: the largest power of two below `count`, for a count of 2 or more. */
function largestPowerBelow(count: bigint): bigint {
  return 1n << BigInt(bitLength(count - 1n) - 1);
}

function bitLength(number: bigint): number {
  return number.toString(2).length;
}

/** "x001/x234/067" for 1234067, and ".p/5" behind a partial one's. */
function place(index: bigint, width: number): string {
  const digits = index.toString();
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/.../g) ?? [];
  const path = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join("/");
  return width === TILE_WIDTH ? path : `${path}.p/${width}`;
}

function refused(message: string): VerifyFault {
  return new VerifyFault("proof", message);
}
