import { LANGUAGES, type Language } from "../language/language";
import type { ProfileText } from "./own_api";

export const SPOKEN = Object.keys(LANGUAGES) as readonly Language[];

/** Those in languages that the page does not speak included. */
export type TextsByLanguage = Readonly<Record<string, ProfileText>>;

// What the API takes for a space (Python's `str.isspace`), and for the end of a line (`str.splitlines`).
const SPACES = /[\s\u001c-\u001f\u0085]+/g;
const SPACES_AT_THE_END = /[\s\u001c-\u001f\u0085]+$/;
const SPACES_AT_THE_BEGINNING = /^[\s\u001c-\u001f\u0085]+/;
const END_OF_A_LINE = /\r\n|[\n\v\f\r\u001c-\u001e\u0085\u2028\u2029]/;
// In prose the fixed spaces of French typography stay as they were typed.
const SPACES_IN_PROSE = /(?:(?![\u00a0\u202f])[\s\u001c-\u001f\u0085])+/g;
const SPACES_IN_A_LINE = /(?![\t\u00a0\u202f])[\s\u001c-\u001f\u0085]/g;
const UNSEEN = /[\u00ad\ufeff]/g;

/** One line of a form, without spaces around it. */
export function lineOf(form: FormData, name: string): string {
  return String(form.get(name) ?? "").trim();
}

/** A name with single spaces, as the API keeps it (`kernel/human_text.py`): what it answers is then known for one's own. */
export function nameIn(form: FormData, name: string): string {
  return composedIn(form, name).replace(SPACES, " ").trim();
}

/** One line of prose, likewise. */
export function proseLineIn(form: FormData, name: string): string {
  return composedIn(form, name).replace(SPACES_IN_PROSE, " ").trim();
}

/** Several lines without spaces at their ends, likewise. */
export function linesIn(form: FormData, name: string): string {
  const written = composedIn(form, name).replace(SPACES_AT_THE_BEGINNING, "").replace(SPACES_AT_THE_END, "");
  return written
    .split(END_OF_A_LINE)
    .map((line) => line.replace(SPACES_IN_A_LINE, " ").replace(SPACES_AT_THE_END, ""))
    .join("\n");
}

function composedIn(form: FormData, name: string): string {
  return lineOf(form, name).normalize("NFC").replace(UNSEEN, "");
}

/** What stands in the form; texts in languages that it does not ask for stay as they were `before`. */
export function textsIn(form: FormData, before: TextsByLanguage, prefix = ""): TextsByLanguage {
  const others = Object.entries(before).filter(([language]) => !SPOKEN.some((spoken) => spoken === language));
  const written = SPOKEN.map((language) => {
    const said = {
      tagline: proseLineIn(form, `${prefix}tagline-${language}`),
      about: linesIn(form, `${prefix}about-${language}`),
    };
    return [language, said] as const;
  });
  return Object.fromEntries([...others, ...written.filter(([, { tagline, about }]) => tagline !== "" || about !== "")]);
}

/** The names of fields that are empty while the other one of their language is not. */
export function halfSaidIn(texts: TextsByLanguage, prefix = ""): readonly string[] {
  return Object.entries(texts).flatMap(([language, said]) =>
    (["tagline", "about"] as const)
      .filter((field) => said[field] === "")
      .map((field) => `${prefix}${field}-${language}`),
  );
}

/** The same for the same texts, in whatever order they stand. */
export function writtenTexts(texts: TextsByLanguage): string {
  return JSON.stringify(
    Object.keys(texts)
      .sort()
      .map((language) => [language, texts[language]?.tagline, texts[language]?.about]),
  );
}
