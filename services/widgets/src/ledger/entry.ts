import { formatMoney, isCurrencyCode, type Money } from "../money";
import { asList, asObject, asText } from "../site/http";
import type { RawEntry } from "./log";

export interface Transfer {
  readonly debit: string;
  readonly credit: string;
  readonly amount: Money;
  /** "pending", "post" or "void"; null when posted at once. */
  readonly phase: string | null;
}

export interface LedgerEntry {
  readonly index: number;
  readonly id: string;
  readonly kind: string;
  /** UTC, to the minute. */
  readonly time: string;
  readonly organization: string;
  readonly transfers: readonly Transfer[];
}

/** Null for an entry of a format this page does not know: it is still in the log, and still counts. */
export function decodeEntry({ index, bytes }: RawEntry): LedgerEntry | null {
  try {
    const leaf = asObject(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
    if (leaf["v"] !== 1) return null;
    return {
      index,
      id: asText(leaf["id"]),
      kind: asText(leaf["kind"]),
      time: asText(leaf["ts"]),
      organization: asText(leaf["org"]),
      transfers: asList(leaf["transfers"]).map(transferFrom),
    };
  } catch {
    return null;
  }
}

function transferFrom(parsed: unknown): Transfer {
  const transfer = asObject(parsed);
  const currency = asText(transfer["cur"]);
  if (!isCurrencyCode(currency)) throw new TypeError("not a currency code");
  return {
    debit: asText(transfer["d"]),
    credit: asText(transfer["c"]),
    amount: { minorUnits: BigInt(asText(transfer["amt"])), currency },
    phase: transfer["phase"] === undefined ? null : asText(transfer["phase"]),
  };
}

/** The currencies whose minor units docs/ledger-format.md (2.3) defines; all others are shown as the bare number. */
const DEFINED = ["CHF", "EUR", "GBP", "USD"];

/** "€25.00", or "2500 minor units of JPY": the log says minor units, and only its own table says what they are. */
export function amountInWords(amount: Money): string {
  const { minorUnits, currency } = amount;
  return DEFINED.includes(currency) ? formatMoney(amount) : `${minorUnits} minor units of ${currency}`;
}

const KINDS: ReadonlyMap<string, string> = new Map([
  ["donation.succeeded", "Donation"],
  ["donation.refunded", "Donation refunded"],
  ["processor.fee", "Processor's fee"],
]);

/** "Donation" for known kinds; otherwise the kind itself, as words. */
export function kindInWords(kind: string): string {
  const words = KINDS.get(kind) ?? kind.replace(/[._]/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** "processor balance" for the entry's own organization, "processor balance of platform" for anyone else's. */
export function accountInWords(account: string, organization: string): string {
  const slash = account.lastIndexOf("/");
  const owner = account.slice(0, Math.max(slash, 0));
  const name = account.slice(slash + 1).replaceAll("_", " ");
  return owner === "" || owner === organization ? name : `${name} of ${owner}`;
}
