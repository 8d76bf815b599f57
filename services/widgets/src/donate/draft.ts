import { limitFault } from "../currencies";
import { asSaid } from "../language/speech";
import { type AmountFault, type Money, parseAmount } from "../money";
import type { Rhythm } from "../rhythm";
import type { NewDonation } from "../site/api";
import type { RequestFault } from "../site/http";
import type { Said } from "./language";

/** What stands in the form, as typed. */
export interface Draft {
  readonly rhythm: Rhythm;
  readonly amount: string;
  readonly name: string;
  readonly email: string;
}

export type Field = Exclude<keyof Draft, "rhythm">;

/** One sentence a field. */
export type FieldFaults = Partial<Readonly<Record<Field, Said>>>;

export type CheckedDraft = { readonly donation: Omit<NewDonation, "language"> } | { readonly faults: FieldFaults };

/** Catches slips before they travel. The API decides what is valid; its sentences land beside the same fields. */
export function checkDraft(draft: Draft, organizationId: string, currency: string): CheckedDraft {
  const amount = acceptableAmount(draft.amount, currency);
  const donor = checkDonor(draft);
  const amountFault = "fault" in amount ? { amount: amount.fault } : {};
  if ("fault" in amount || "faults" in donor) {
    return { faults: { ...amountFault, ...("faults" in donor ? donor.faults : {}) } };
  }
  return { donation: { organizationId, amount, ...donor } };
}

type CheckedDonor = { readonly donorName: string; readonly donorEmail: string } | { readonly faults: FieldFaults };

/** Who gives, or a sentence for each field that is not right. */
export function checkDonor(draft: { readonly name: string; readonly email: string }): CheckedDonor {
  const donorName = draft.name.trim();
  const donorEmail = draft.email.trim();
  const faults: { -readonly [field in Field]?: Said } = {};
  if (donorName === "") faults.name = ({ t }) => t.nameMissing;
  if (donorEmail === "") faults.email = ({ t }) => t.emailMissing;
  else if (!/^[^\s@]+@[^\s@]+$/.test(donorEmail)) faults.email = ({ t }) => t.emailForm;
  return Object.keys(faults).length > 0 ? { faults } : { donorName, donorEmail };
}

/** What was typed, when it is an amount that is taken in this currency. */
export function acceptableAmount(typed: string, currency: string): Money | AmountFault {
  const amount = parseAmount(typed, currency);
  if ("fault" in amount) return amount;
  const fault = limitFault(amount);
  return fault === null ? amount : { fault };
}

/**
 * The field that a refusal speaks of, with the sentence to put beside it; null when it speaks of none.
 *
 * The API's problems have words for people, except those about a request's form (`invalid_request`), which are for
 * programmers: there the page says what the field wants.
 */
export function fieldFaultIn(fault: RequestFault): FieldFaults | null {
  const field = fieldOf(fault.param);
  if (field === null) return null;
  return { [field]: fault.code === "invalid_request" ? WANTED[field] : asSaid(fault) };
}

const WANTED: Readonly<Record<Field, Said>> = {
  amount: ({ t }) => t.checkAmount,
  name: ({ t }) => t.nameTooLong,
  email: ({ t }) => t.emailForm,
};

function fieldOf(param: string): Field | null {
  if (param === "amount" || param.startsWith("amount.")) return "amount";
  if (param === "donor.name") return "name";
  return param === "donor.email" ? "email" : null;
}
