import { browsersLanguage, isLanguage, type Language, languageIn } from "./language";

const KEPT_AS = "amply-language";

/** The language chosen in this tab, else the browser's. */
export function firstLanguage(): Language {
  const kept = sessionStorage.getItem(KEPT_AS) ?? "";
  return isLanguage(kept) ? kept : browsersLanguage();
}

/** For this tab: these pages clear their address of all it says. */
export function keepLanguage(language: Language): void {
  sessionStorage.setItem(KEPT_AS, language);
}

/** A link may ask for one, as those of the donation page do. */
export function keepAskedLanguage(search: string): void {
  const asked = languageIn(search);
  if (asked !== null) keepLanguage(asked);
}
