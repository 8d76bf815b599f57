import { parseAmount } from "../money";
import type { NewDonation } from "../site/api";

/** What stands in the form, as typed. */
export interface Draft {
  readonly amount: string;
  readonly name: string;
  readonly email: string;
}

export type Field = keyof Draft;
export const FIELDS: readonly Field[] = ["amount", "name", "email"];

/** One sentence a field. */
export type FieldFaults = Partial<Readonly<Record<Field, string>>>;

export type CheckedDraft = { readonly donation: NewDonation } | { readonly faults: FieldFaults };

/** Catches slips before they travel. The API decides what is valid; its sentences land beside the same fields. */
export function checkDraft(draft: Draft, organizationId: string, currency: string): CheckedDraft {
  const amount = parseAmount(draft.amount, currency);
  const donorName = draft.name.trim();
  const donorEmail = draft.email.trim();
  const faults: { -readonly [field in Field]?: string } = {};
  if ("fault" in amount) faults.amount = amount.fault;
  if (donorName === "") faults.name = "Enter your name, so that the organisation can thank you.";
  if (donorEmail === "") faults.email = "Enter your e-mail address: your receipt goes there.";
  else if (!/^[^\s@]+@[^\s@]+$/.test(donorEmail)) faults.email = "Write the e-mail address like name@example.org.";
  if ("fault" in amount || Object.keys(faults).length > 0) return { faults };
  return { donation: { organizationId, amount, donorName, donorEmail } };
}

/** Which field a problem's `param` speaks of: the last path names the API uses, whatever stands before them. */
export function fieldOf(param: string): Field | null {
  const path = param.replace(/^(body[./])?\/?/, "").replaceAll("/", ".");
  if (/^amount(\.|$)/.test(path)) return "amount";
  if (/^donor\.name$/.test(path)) return "name";
  if (/^donor\.email$/.test(path)) return "email";
  return null;
}
