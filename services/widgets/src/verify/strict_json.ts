/**
 * JSON (RFC 8259) that hides nothing: a key given twice is refused, and numbers stay the digits they were written in.
 *
 * `JSON.parse` keeps the last of two equal keys and rounds integers; both would let two readers see two things.
 */

import { malformed, type VerifyFault } from "./faults";

/** A number as it was written. */
export class JsonNumber {
  readonly literal: string;

  constructor(literal: string) {
    this.literal = literal;
  }
}

export type JsonValue = string | JsonNumber | boolean | null | readonly JsonValue[] | JsonMembers;
export type JsonMembers = ReadonlyMap<string, JsonValue>;

/** Deeper values are refused: nothing here nests more than four deep. */
const MAX_DEPTH = 100;

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
const WORDS: ReadonlyMap<string, boolean | null> = new Map([
  ["true", true],
  ["false", false],
  ["null", null],
]);

export function parseJson(text: string, what: string): JsonValue {
  const reader = new Reader(text, what);
  const value = reader.value(0);
  reader.end();
  return value;
}

/** RFC 8785. Throws VerifyFault for an integer that a double cannot hold, which some readers would round. */
export function canonicalJson(value: JsonValue): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof JsonNumber) return canonicalNumber(value.literal);
  if (value === null || typeof value === "boolean") return String(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(",")}]`;
  // By UTF-16 code unit, as the language sorts.
  const keys = [...value.keys()].sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalJson(value.get(key) ?? null)}`).join(",")}}`;
}

/** RFC 8785 writes numbers as this language does. */
function canonicalNumber(literal: string): string {
  const number = Number(literal);
  const isExact =
    Number.isInteger(number) && /^-?[0-9]+$/.test(literal) ? Number.isSafeInteger(number) : Number.isFinite(number);
  if (!isExact) throw malformed("a number is too large to be read by everyone alike");
  return JSON.stringify(number);
}

export function isMembers(value: JsonValue | undefined): value is JsonMembers {
  return value instanceof Map;
}

export function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

class Reader {
  readonly #text: string;
  readonly #what: string;
  #place = 0;

  constructor(text: string, what: string) {
    this.#text = text;
    this.#what = what;
  }

  end(): void {
    this.#space();
    if (this.#place !== this.#text.length) throw this.#fault();
  }

  value(depth: number): JsonValue {
    if (depth > MAX_DEPTH) throw malformed(`${this.#what} nests too deeply`);
    this.#space();
    const next = this.#text[this.#place];
    if (next === "{") return this.#members(depth);
    if (next === "[") return this.#list(depth);
    if (next === '"') return this.#string();
    for (const [word, meaning] of WORDS) if (this.#skip(word)) return meaning;
    return new JsonNumber(this.#match(NUMBER));
  }

  #members(depth: number): JsonMembers {
    const members = new Map<string, JsonValue>();
    this.#take("{");
    this.#space();
    if (this.#skip("}")) return members;
    do {
      this.#space();
      const key = this.#string();
      if (members.has(key)) throw malformed(`${this.#what} holds a key twice`);
      this.#space();
      this.#take(":");
      members.set(key, this.value(depth + 1));
      this.#space();
    } while (this.#skip(","));
    this.#take("}");
    return members;
  }

  #list(depth: number): readonly JsonValue[] {
    const items: JsonValue[] = [];
    this.#take("[");
    this.#space();
    if (this.#skip("]")) return items;
    do {
      items.push(this.value(depth + 1));
      this.#space();
    } while (this.#skip(","));
    this.#take("]");
    return items;
  }

  #string(): string {
    return JSON.parse(this.#match(STRING)) as string;
  }

  #space(): void {
    this.#match(SPACE);
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#place;
    const found = pattern.exec(this.#text);
    if (found === null) throw this.#fault();
    this.#place = pattern.lastIndex;
    return found[0];
  }

  #take(token: string): void {
    if (!this.#skip(token)) throw this.#fault();
  }

  #skip(token: string): boolean {
    const isNext = this.#text.startsWith(token, this.#place);
    if (isNext) this.#place += token.length;
    return isNext;
  }

  #fault(): VerifyFault {
    return malformed(`${this.#what} is not JSON`);
  }
}
