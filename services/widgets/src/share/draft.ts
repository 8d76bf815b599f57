import { CURRENCIES } from "../currencies";
import { acceptableAmount, checkDonor, type FieldFaults } from "../donate/draft";
import { decimalText, type Money, parseAmount } from "../money";

export const FEWEST_PARTS = 2;
export const MOST_PARTS = 10;

/** What stands in the form of a gift to several organisations, as typed. */
export interface SharedDraft {
  readonly organizations: readonly string[];
  /** In all; of no meaning while the donor chooses each part. */
  readonly total: string;
  /** By organisation, while the donor chooses each part; null while all parts are equal. */
  readonly parts: Readonly<Record<string, string>> | null;
  readonly name: string;
  readonly email: string;
}

export interface CheckedShare {
  readonly total: Money;
  readonly parts: readonly { readonly organizationId: string; readonly amount: Money }[];
  readonly donorName: string;
  readonly donorEmail: string;
}

/** One sentence a field; those of parts by organisation. */
export interface ShareFaults extends FieldFaults {
  readonly parts: Readonly<Record<string, string>>;
  readonly organizations?: string;
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

/** The same gift with each part in a field of its own, or with equal parts of what they add up to. */
export function withOwnParts(draft: SharedDraft, currency: string, isOwn: boolean): SharedDraft {
  const amounts = partsOf(draft, currency);
  if (isOwn) return { ...draft, parts: Object.fromEntries([...amounts].map(([id, amount]) => [id, decimalText(amount)])) };
  const sum = sumOf(amounts.values(), currency);
  return { ...draft, parts: null, total: sum.minorUnits === 0n ? "" : decimalText(sum) };
}

/** What is asked of the API, or what is wrong with which field. The parts always add up to the total. */
export function checkShare(draft: SharedDraft, currency: string): CheckedShare | { readonly faults: ShareFaults } {
  const donor = checkDonor(draft);
  const found: { -readonly [field in keyof ShareFaults]?: ShareFaults[field] } = { ...("faults" in donor ? donor.faults : {}) };
  const { organizations } = draft;
  if (organizations.length < FEWEST_PARTS) found.organizations = "Choose at least two organisations.";
  const amounts = partsOf(draft, currency);
  const total = sumOf(amounts.values(), currency);
  const parts: Record<string, string> = {};
  if (draft.parts === null) {
    const whole = acceptableAmount(draft.total, currency);
    const tooSmall = [...amounts.values()].map((part) => acceptableAmount(decimalText(part), currency)).find((part) => "fault" in part);
    if ("fault" in whole) found.amount = whole.fault;
    else if (tooSmall !== undefined && "fault" in tooSmall) found.amount = `For each organisation: ${tooSmall.fault}`;
  } else {
    for (const id of organizations) {
      const part = acceptableAmount(draft.parts[id] ?? "", currency);
      if ("fault" in part) parts[id] = part.fault;
    }
  }
  if ("faults" in donor || Object.keys(found).length > 0 || Object.keys(parts).length > 0) return { faults: { ...found, parts } };
  return { total, parts: organizations.map((id) => ({ organizationId: id, amount: amounts.get(id)! })), ...donor };
}
