export type Language = "en" | "de" | "fr";

/** Each by its own name. */
export const LANGUAGES: Readonly<Record<Language, string>> = { en: "English", de: "Deutsch", fr: "Français" };

/** What `?lang=` asks for; null where it asks for nothing that the pages have. `de-AT` asks for German. */
export function languageIn(search: string): Language | null {
  return languageOf(new URLSearchParams(search).get("lang") ?? "");
}

/** The first of the browser's languages that the pages have, else English. */
export function browsersLanguage(tags: readonly string[] = browsersTags()): Language {
  return tags.map(languageOf).find((known) => known !== null) ?? "en";
}

/** As the reader's own country writes the language, where the browser says which. */
export function localeOf(language: Language, tags: readonly string[] = browsersTags()): string {
  return tags.find((tag) => languageOf(tag) === language) ?? language;
}

export function isLanguage(text: string): text is Language {
  return Object.hasOwn(LANGUAGES, text);
}

/** The same address in a language; as it is where none was asked for. */
export function inLanguage(href: string, language: Language | null): string {
  if (language === null) return href;
  const [, address = "", fragment = ""] = /^([^#]*)(.*)$/s.exec(href) ?? [];
  const [path, search = ""] = address.split("?", 2);
  const query = new URLSearchParams(search);
  query.set("lang", language);
  return `${path}?${query}${fragment}`;
}

/** None outside a browser. */
function browsersTags(): readonly string[] {
  return globalThis.navigator?.languages ?? [];
}

function languageOf(tag: string): Language | null {
  const asked = tag.split("-", 1)[0]!.toLowerCase();
  return isLanguage(asked) ? asked : null;
}
