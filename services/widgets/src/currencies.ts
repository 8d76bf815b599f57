import type { Said } from "./language/speech";
import type { Money } from "./money";

/** Minor units: the smallest and the largest payment, and what amounts are multiples of. */
interface Limits {
  readonly least: bigint;
  readonly most: bigint;
  readonly step: bigint;
}

/** As the API's own table has them (kernel/money.py), which decides; a test compares the two. */
export const CURRENCIES: ReadonlyMap<string, Limits> = new Map([
  ["EUR", { least: 100n, most: 99_999_999n, step: 1n }],
  ["GBP", { least: 100n, most: 99_999_999n, step: 1n }],
  ["USD", { least: 100n, most: 99_999_999n, step: 1n }],
  ["CHF", { least: 100n, most: 99_999_999n, step: 1n }],
  ["CAD", { least: 100n, most: 99_999_999n, step: 1n }],
  ["AUD", { least: 100n, most: 99_999_999n, step: 1n }],
  ["JPY", { least: 100n, most: 99_999_999n, step: 1n }],
  ["KWD", { least: 500n, most: 99_999_990n, step: 10n }],
]);

/** One sentence for the person who typed an amount that cannot be taken; null when it can. */
export function limitFault({ minorUnits, currency }: Money): Said | null {
  const limits = CURRENCIES.get(currency);
  if (limits === undefined) {
    return ({ t }) => t.currencyNotTaken(currency, [...CURRENCIES.keys()].join(", "));
  }
  const { least, most, step } = limits;
  const of = (units: bigint): Money => ({ minorUnits: units, currency });
  if (minorUnits < least || minorUnits > most)
    return ({ t, money }) => t.amountLimits(money(of(least)), money(of(most)));
  const below = minorUnits - (minorUnits % step);
  if (below === minorUnits) return null;
  return ({ t, money }) => t.amountSteps(money(of(step)), money(of(below)), money(of(below + step)));
}
