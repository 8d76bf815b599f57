import { type Language, LANGUAGES } from "../language/language";
import type { ProfileText, Said } from "./own_api";

export const SPOKEN = Object.keys(LANGUAGES) as readonly Language[];
/** The United Nations' goals (sdgs.un.org/goals). */
export const GOALS: readonly number[] = Array.from({ length: 17 }, (_, at) => at + 1);

/** Of fields, by their names on the page. */
export type HalfSaid = ReadonlySet<string>;

export const FIELDS = ["name", "website", "goals", "texts", "takesAnonymousGifts", "returnOrigins"] as const;
export type Field = (typeof FIELDS)[number];

/** What stands in the form; texts in languages that it does not ask for stay as they were `before`. */
export function saidIn(form: FormData, before: Said): Said {
  const line = (name: string) => String(form.get(name) ?? "").trim();
  const others = Object.entries(before.texts).filter(([language]) => !SPOKEN.some((spoken) => spoken === language));
  const written = SPOKEN.map((language) => [language, { tagline: line(`tagline-${language}`), about: line(`about-${language}`) }] as const);
  return {
    name: line("name"),
    website: line("website"),
    goals: form.getAll("goal").map(Number),
    texts: Object.fromEntries([...others, ...written.filter(([, { tagline, about }]) => tagline !== "" || about !== "")]),
    takesAnonymousGifts: form.get("takes-anonymous") !== null,
    returnOrigins: line("return-origins").split(/\s+/).filter((origin) => origin !== ""),
  };
}

/** Fields that are empty while the other one of their language is not. */
export function halfSaid({ texts }: Said): HalfSaid {
  const empty = Object.entries(texts).flatMap(([language, said]) =>
    (["tagline", "about"] as const).filter((field) => said[field] === "").map((field) => `${field}-${language}`),
  );
  return new Set(empty);
}

/** What of it two people have said differently. */
export function differing(one: Said, other: Said): readonly Field[] {
  return FIELDS.filter((field) => written(one[field]) !== written(other[field]));
}

function written(value: Said[Field]): string {
  if (typeof value !== "object" || Array.isArray(value)) return JSON.stringify(value);
  const texts = value as Readonly<Record<string, ProfileText>>;
  return JSON.stringify(Object.keys(texts).sort().map((language) => [language, texts[language]?.tagline, texts[language]?.about]));
}
