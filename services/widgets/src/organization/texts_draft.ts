import { type Language, LANGUAGES } from "../language/language";
import type { ProfileText } from "./own_api";

export const SPOKEN = Object.keys(LANGUAGES) as readonly Language[];

/** Those in languages that the page does not speak included. */
export type TextsByLanguage = Readonly<Record<string, ProfileText>>;

/** One line of a form, without spaces around it. */
export function lineOf(form: FormData, name: string): string {
  return String(form.get(name) ?? "").trim();
}

/** What stands in the form; texts in languages that it does not ask for stay as they were `before`. */
export function textsIn(form: FormData, before: TextsByLanguage, prefix = ""): TextsByLanguage {
  const others = Object.entries(before).filter(([language]) => !SPOKEN.some((spoken) => spoken === language));
  const written = SPOKEN.map((language) => {
    const said = { tagline: lineOf(form, `${prefix}tagline-${language}`), about: lineOf(form, `${prefix}about-${language}`) };
    return [language, said] as const;
  });
  return Object.fromEntries([...others, ...written.filter(([, { tagline, about }]) => tagline !== "" || about !== "")]);
}

/** The names of fields that are empty while the other one of their language is not. */
export function halfSaidIn(texts: TextsByLanguage, prefix = ""): readonly string[] {
  return Object.entries(texts).flatMap(([language, said]) =>
    (["tagline", "about"] as const).filter((field) => said[field] === "").map((field) => `${prefix}${field}-${language}`),
  );
}

/** The same for the same texts, in whatever order they stand. */
export function writtenTexts(texts: TextsByLanguage): string {
  return JSON.stringify(Object.keys(texts).sort().map((language) => [language, texts[language]?.tagline, texts[language]?.about]));
}
