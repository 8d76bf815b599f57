/** Numbers, hashes, names and base64 as they stand in text: exactly one spelling each, everything else refused. */

import { malformed } from "./faults";

export const HASH_BYTES = 32;
/** 2^63 - 1: sizes, indexes and amounts fit a signed 64-bit integer. */
export const MAX_INTEGER = 9_223_372_036_854_775_807n;

const DECIMAL = /^(?:0|[1-9][0-9]{0,18})$/;
const HEX_HASH = /^[0-9a-f]{64}$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const ORIGIN = /^[A-Za-z0-9](?:[A-Za-z0-9._:/-]{0,198}[A-Za-z0-9])?$/;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** UTF-8 and nothing else; a byte order mark is a character like any other, and then out of place. */
export function textOf(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed(`${what} is not UTF-8`);
  }
}

/** A lone surrogate has no UTF-8: an encoder would put another character in its place. */
export function bytesOf(text: string, what: string): Uint8Array<ArrayBuffer> {
  if (LONE_SURROGATE.test(text)) throw malformed(`${what} is not valid Unicode`);
  return new TextEncoder().encode(text);
}

export function parseDecimal(text: string, what: string): bigint {
  const number = DECIMAL.test(text) ? BigInt(text) : -1n;
  if (number < 0n || number > MAX_INTEGER) throw malformed(`${what} is not a decimal from 0 to ${MAX_INTEGER}`);
  return number;
}

export function parseHexHash(text: string, what: string): Uint8Array<ArrayBuffer> {
  if (!HEX_HASH.test(text)) throw malformed(`${what} is not 64 lower-case hexadecimal digits`);
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** RFC 4648 §4 with its padding and with zero trailing bits. */
export function parseBase64(text: string, what: string): Uint8Array<ArrayBuffer> {
  if (!BASE64.test(text)) throw malformed(`${what} is not base64`);
  const value = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  if (toBase64(value) !== text) throw malformed(`${what} is not base64 in its only spelling`);
  return value;
}

export function parseBase64Hash(text: string, what: string): Uint8Array<ArrayBuffer> {
  const value = parseBase64(text, what);
  if (value.length !== HASH_BYTES) throw malformed(`${what} is not ${HASH_BYTES} bytes`);
  return value;
}

export function toBase64(value: Uint8Array): string {
  let binary = "";
  for (const byte of value) binary += String.fromCharCode(byte);
  return btoa(binary);
}

export function toHex(value: Uint8Array): string {
  return Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function checkOrigin(origin: string): void {
  if (!ORIGIN.test(origin)) throw malformed("the log's origin is not a name like log.example/name");
}

export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, place) => byte === right[place]);
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}
