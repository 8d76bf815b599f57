import type { Said } from "./own_api";
import { halfSaidIn, lineOf, textsIn, writtenTexts } from "./texts_draft";

/** The United Nations' goals (sdgs.un.org/goals). */
export const GOALS: readonly number[] = Array.from({ length: 17 }, (_, at) => at + 1);

/** Of fields, by their names on the page. */
export type HalfSaid = ReadonlySet<string>;

export const FIELDS = ["name", "website", "goals", "texts", "takesAnonymousGifts", "returnOrigins"] as const;
export type Field = (typeof FIELDS)[number];

/** What stands in the form; texts in languages that it does not ask for stay as they were `before`. */
export function saidIn(form: FormData, before: Said): Said {
  return {
    name: lineOf(form, "name"),
    website: lineOf(form, "website"),
    goals: form.getAll("goal").map(Number),
    texts: textsIn(form, before.texts),
    takesAnonymousGifts: form.get("takes-anonymous") !== null,
    returnOrigins: originsIn(form, "return-origins"),
  };
}

/** Each once, as browsers write them and the API keeps them. */
function originsIn(form: FormData, field: string): readonly string[] {
  const written = lineOf(form, field)
    .split(/\s+/)
    .filter((origin) => origin !== "");
  return [...new Set(written.map((origin) => originOf(origin.toLowerCase().replace(/\/$/, ""))))];
}

/** Without the port that its scheme has anyhow. */
function originOf(origin: string): string {
  return origin.replace(/^(https:\/\/.*):443$/, "$1").replace(/^(http:\/\/.*):80$/, "$1");
}

/** Fields that are empty while the other one of their language is not. */
export function halfSaid({ texts }: Said): HalfSaid {
  return new Set(halfSaidIn(texts));
}

/** What of it two people have said differently. */
export function differing(one: Said, other: Said): readonly Field[] {
  return FIELDS.filter((field) => written(one, field) !== written(other, field));
}

function written(said: Said, field: Field): string {
  return field === "texts" ? writtenTexts(said.texts) : JSON.stringify(said[field]);
}
