/** Entries in words. */

import { formatMoney, type Money } from "../money";

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
  ["donation.offline", "Offline donation"],
  ["donation.in_kind", "Donation in kind"],
  ["donation.reversed", "Offline donation taken back"],
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
