/** Amounts are integer minor units and an ISO 4217 code; nothing here ever holds a fraction as a number. */

import type { Said } from "./language/speech";

export interface Money {
  readonly minorUnits: bigint;
  readonly currency: string;
}

/** A sentence for the person who typed the amount. */
export interface AmountFault {
  readonly fault: Said;
}

/** Digits after the point where ISO 4217 has other than two. */
const EXPONENTS: ReadonlyMap<string, number> = new Map([
  ..."BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(" ").map((code) => [code, 0] as const),
  ..."BHD IQD JOD KWD LYD OMR TND".split(" ").map((code) => [code, 3] as const),
]);

/** Longer amounts are slips of the finger; the API's own limit, which is lower, answers for the rest. */
const LONGEST_AMOUNT_DIGITS = 12;

export function exponentOf(currency: string): number {
  return EXPONENTS.get(currency) ?? 2;
}

export function isCurrencyCode(text: string): boolean {
  return /^[A-Z]{3}$/.test(text);
}

/** Minor units as they stand in attributes, addresses and the API: digits, no sign, not zero. */
export function parseMinorUnits(text: string): bigint | null {
  return /^[1-9][0-9]*$/.test(text) && text.length <= LONGEST_AMOUNT_DIGITS ? BigInt(text) : null;
}

/**
 * Reads what a person typed: digits, and at most one point or comma before the smallest unit.
 *
 * Grouping is refused rather than guessed: "1,234" is a thousand to some and one and a bit to others.
 */
export function parseAmount(typed: string, currency: string): Money | AmountFault {
  const exponent = exponentOf(currency);
  const text = typed.trim();
  if (text === "") return { fault: ({ t }) => t.amountMissing };
  const match = /^([0-9]+)(?:[.,]([0-9]+))?$/.exec(text);
  const [, whole = "", fraction = ""] = match ?? [];
  if (match === null || fraction.length > exponent) return { fault: howToWrite(exponent) };
  const digits = (whole + fraction.padEnd(exponent, "0")).replace(/^0+/, "");
  if (digits === "") return { fault: ({ t }) => t.amountZero };
  if (digits.length > LONGEST_AMOUNT_DIGITS) return { fault: ({ t }) => t.amountTooLarge };
  return { minorUnits: BigInt(digits), currency };
}

function howToWrite(exponent: number): Said {
  return ({ t }) => (exponent === 0 ? t.amountForm : t.amountDecimals("0".repeat(exponent)));
}

/** "25.00", or "25,00": what the amount field shows, and what `parseAmount` reads back unchanged. */
export function decimalText({ minorUnits, currency }: Money, point: "." | "," = "."): string {
  const { whole, fraction } = split(minorUnits, exponentOf(currency));
  return fraction === "" ? whole : `${whole}${point}${fraction}`;
}

/** The amount as the reader's locale writes it. Only the whole part passes through Intl, as a bigint: exact at any size. */
export function formatMoney({ minorUnits, currency }: Money, locale?: string): string {
  const exponent = exponentOf(currency);
  const { whole, fraction } = split(minorUnits, exponent);
  const format = new Intl.NumberFormat(locale, {
    style: "currency",
    currency,
    minimumFractionDigits: exponent,
    maximumFractionDigits: exponent,
  });
  const digits = new Intl.NumberFormat(locale, { useGrouping: false, minimumIntegerDigits: Math.max(exponent, 1) });
  return format
    .formatToParts(BigInt(whole))
    .map((part) => (part.type === "fraction" ? digits.format(BigInt(fraction)) : part.value))
    .join("");
}

function split(minorUnits: bigint, exponent: number): { whole: string; fraction: string } {
  const digits = minorUnits.toString().padStart(exponent + 1, "0");
  const point = digits.length - exponent;
  return { whole: digits.slice(0, point), fraction: digits.slice(point) };
}
