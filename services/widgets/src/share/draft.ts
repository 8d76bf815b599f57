import { CURRENCIES } from "../currencies";
import { acceptableAmount, checkDonor, type FieldFaults } from "../donate/draft";
import type { Said } from "../donate/language";
import { decimalText, type Money, parseAmount } from "../money";
import type { DividedPart } from "../site/split_gifts";

export const FEWEST_PARTS = 2;
export const MOST_PARTS = 10;

/** What stands in the form of a gift to several organisations, as typed. */
export interface SharedDraft {
  readonly organizations: readonly string[];
  /** In all; of no meaning while the donor chooses each part. */
  readonly total: string;
  /** By organisation, while the donor chooses each part; null while all parts are equal. */
  readonly parts: Readonly<Record<string, string>> | null;
  /** What each part is for, by organisation; absent or empty: wherever it is needed most. */
  readonly funds: Readonly<Record<string, string>>;
  /** The way to pay whose fees the donor covers; null: they add nothing. */
  readonly coversFeeOf: string | null;
  readonly name: string;
  readonly email: string;
}

export interface CheckedParts {
  readonly total: Money;
  readonly parts: readonly DividedPart[];
}

export interface CheckedShare extends CheckedParts {
  readonly donorName: string;
  readonly donorEmail: string;
}

/** One sentence a field; those of parts by organisation. */
export interface ShareFaults extends FieldFaults {
  readonly parts: Readonly<Record<string, Said>>;
  readonly organizations?: Said;
}

export const NO_FAULTS: ShareFaults = { parts: {} };

/**
 * Equal parts of an amount that add up to it exactly: what does not divide goes, a step each, to the first ones.
 * `count` is above zero. A part may be too small to be given; `checkShare` says so.
 */
export function equalParts({ minorUnits, currency }: Money, count: number): readonly Money[] {
  const step = CURRENCIES.get(currency)?.step ?? 1n;
  const steps = minorUnits / step;
  const each = steps / BigInt(count);
  const over = Number(steps % BigInt(count));
  return Array.from({ length: count }, (_, at) => ({ minorUnits: (at < over ? each + 1n : each) * step, currency }));
}

/** What each organisation gets as the form stands, by organisation; empty where that cannot be said. */
export function partsOf(draft: SharedDraft, currency: string): ReadonlyMap<string, Money> {
  const { organizations, parts, total } = draft;
  if (parts === null) {
    const whole = parseAmount(total, currency);
    if ("fault" in whole || organizations.length === 0) return new Map();
    const amounts = equalParts(whole, organizations.length);
    return new Map(organizations.map((id, at) => [id, amounts[at]!]));
  }
  const read = organizations.map((id) => [id, parseAmount(parts[id] ?? "", currency)] as const);
  return new Map(read.flatMap(([id, amount]) => ("fault" in amount ? [] : [[id, amount]])));
}

/** The whole that these parts make. */
export function sumOf(parts: Iterable<Money>, currency: string): Money {
  return { minorUnits: [...parts].reduce((sum, { minorUnits }) => sum + minorUnits, 0n), currency };
}

/** In all; null where some part is none that can be read. */
export function wholeOf(draft: SharedDraft, currency: string): Money | null {
  const amounts = partsOf(draft, currency);
  return amounts.size === 0 || amounts.size < draft.organizations.length ? null : sumOf(amounts.values(), currency);
}

/** The same gift with each part in a field of its own, or with equal parts of what they add up to; `typed` writes amounts into fields. */
export function withOwnParts(
  draft: SharedDraft,
  currency: string,
  isOwn: boolean,
  typed: (amount: Money) => string,
): SharedDraft {
  const amounts = partsOf(draft, currency);
  if (isOwn) return { ...draft, parts: Object.fromEntries([...amounts].map(([id, amount]) => [id, typed(amount)])) };
  const sum = sumOf(amounts.values(), currency);
  return { ...draft, parts: null, total: sum.minorUnits === 0n ? "" : typed(sum) };
}

/** What is asked of the API, or what is wrong with which field. The parts always add up to the total. */
export function checkShare(draft: SharedDraft, currency: string): CheckedShare | { readonly faults: ShareFaults } {
  const donor = checkDonor(draft);
  const divided = checkParts(draft, currency);
  if ("faults" in donor || "faults" in divided) {
    return {
      faults: { ...("faults" in divided ? divided.faults : NO_FAULTS), ...("faults" in donor ? donor.faults : {}) },
    };
  }
  return { ...divided, ...donor };
}

/** The same of the parts alone. */
export function checkParts(draft: SharedDraft, currency: string): CheckedParts | { readonly faults: ShareFaults } {
  const { organizations } = draft;
  const amounts = partsOf(draft, currency);
  const faults = {
    ...(draft.parts === null ? wholeFaults(draft.total, amounts, currency) : ownFaults(draft, currency)),
  };
  if (organizations.length < FEWEST_PARTS) faults.organizations = ({ t }) => t.chooseTwo;
  const { parts, ...others } = faults;
  if (Object.keys(parts).length > 0 || Object.keys(others).length > 0) return { faults };
  return {
    total: sumOf(amounts.values(), currency),
    parts: organizations.map((id) => ({ organizationId: id, amount: amounts.get(id)! })),
  };
}

type Found = { -readonly [field in keyof ShareFaults]: ShareFaults[field] };

function wholeFaults(typed: string, amounts: ReadonlyMap<string, Money>, currency: string): Found {
  const whole = acceptableAmount(typed, currency);
  if ("fault" in whole) return { amount: whole.fault, parts: {} };
  const tooSmall = [...amounts.values()]
    .map((part) => acceptableAmount(decimalText(part), currency))
    .find((part) => "fault" in part);
  if (tooSmall === undefined || !("fault" in tooSmall)) return { parts: {} };
  const { fault } = tooSmall;
  return { amount: (speech) => speech.t.forEach(fault(speech)), parts: {} };
}

function ownFaults({ organizations, parts }: SharedDraft, currency: string): Found {
  const found = organizations.flatMap((id) => {
    const part = acceptableAmount(parts?.[id] ?? "", currency);
    return "fault" in part ? [[id, part.fault] as const] : [];
  });
  return { parts: Object.fromEntries(found) };
}
