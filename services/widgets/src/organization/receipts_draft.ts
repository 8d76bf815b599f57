import type { Language } from "../language/language";
import type { Jurisdiction, SaidOfReceipts } from "./receipts_api";
import { linesIn, nameIn } from "./texts_draft";

/** The names of the form's fields begin with it: the page has other forms. */
export const PREFIX = "receipt-";

export const FIELDS = [
  "jurisdiction",
  "address",
  "place",
  "signatory",
  "language",
  "timeZone",
  "fiscalYearStarts",
  "colour",
] as const;
export type Field = (typeof FIELDS)[number];

/** The form's fields by what the API calls them. */
const NAMED: Readonly<Record<string, string>> = {
  time_zone: "time-zone",
  fiscal_year_starts: "fiscal-year",
  brand_colour: "colour",
};

/** What stands in the form, as the API keeps it. What it does not ask for stays as it was `before`. */
export function saidIn(form: FormData, before: SaidOfReceipts): SaidOfReceipts {
  const lines = linesIn(form, `${PREFIX}address`).split("\n");
  const line = (name: string) => nameIn(form, `${PREFIX}${name}`);
  return {
    jurisdiction: form.has(`${PREFIX}jurisdiction`) ? (line("jurisdiction") as Jurisdiction) : before.jurisdiction,
    address: lines.map((each) => each.trim().replace(/\s+/g, " ")).filter((each) => each !== ""),
    place: form.has(`${PREFIX}place`) ? line("place") : before.place,
    signatory: line("signatory"),
    language: line("language") as Language,
    timeZone: line("time-zone"),
    fiscalYearStarts: Number(line("fiscal-year")),
    colour: line("colour").toLowerCase(),
  };
}

/** The field of the form that the API's parameter stands in; null where it has none. */
export function fieldOf(param: string): string | null {
  const name = NAMED[param] ?? param;
  return ["jurisdiction", "address", "place", "signatory", "language", ...Object.values(NAMED)].includes(name)
    ? `${PREFIX}${name}`
    : null;
}

/** What of it two people have said differently. */
export function differing(one: SaidOfReceipts, other: SaidOfReceipts): readonly Field[] {
  return FIELDS.filter((field) => JSON.stringify(one[field]) !== JSON.stringify(other[field]));
}
