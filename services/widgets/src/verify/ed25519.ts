/**
 * Ed25519 verification by the one rule of docs/ledger-format.md §5.1: [S]B = R + [k]A without the cofactor, over a library's
 * points. The library's own verification multiplies by the cofactor, and browsers' (WebCrypto) differ on points of small order.
 */

import { Point } from "@noble/ed25519";

import { joined, sameBytes, toHex } from "./literals";

const POINT_BYTES = 32;
const SIGNATURE_BYTES = 64;
const { n: ORDER } = Point.CURVE();

/** Whether it is a signature by the key over the message. Never throws. */
export async function isSignature(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): Promise<boolean> {
  if (signature.length !== SIGNATURE_BYTES) return false;
  const [commitment, scalar] = [signature.subarray(0, POINT_BYTES), numberIn(signature.subarray(POINT_BYTES))];
  const key = signingKey(publicKey);
  if (key === null || scalar >= ORDER) return false;
  const digest = await crypto.subtle.digest("SHA-512", joined(commitment, publicKey, message));
  const challenge = numberIn(new Uint8Array(digest)) % ORDER;
  const found = Point.BASE.multiplyUnsafe(scalar).subtract(key.multiplyUnsafe(challenge));
  // Byte by byte, so that R has one spelling.
  return sameBytes(found.toBytes(), commitment);
}

/** Null where the bytes are no point in its only spelling, or one of small order, by which anybody could sign. */
function signingKey(publicKey: Uint8Array): Point | null {
  try {
    const point = Point.fromBytes(publicKey);
    return point.isSmallOrder() ? null : point;
  } catch {
    return null;
  }
}

/** Little-endian. */
function numberIn(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes.slice().reverse())}`);
}
