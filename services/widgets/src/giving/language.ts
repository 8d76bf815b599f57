import { browsersLanguage, isLanguage, type Language, languageIn } from "../language/language";
import { type Speech, speaking } from "../language/speech";
import { DE } from "./texts/de";
import { EN, type Texts } from "./texts/en";
import { FR } from "./texts/fr";

export type GivingSpeech = Speech<Texts>;

export const { speechIn, SpokenIn, useSpeech } = speaking<Texts>({ en: EN, de: DE, fr: FR });

const KEPT_AS = "amply-giving-language";

/** The language chosen in this tab, else the browser's. */
export function firstLanguage(): Language {
  const kept = sessionStorage.getItem(KEPT_AS) ?? "";
  return isLanguage(kept) ? kept : browsersLanguage();
}

/** For this tab: the page's address is cleared of all it says. */
export function keepLanguage(language: Language): void {
  sessionStorage.setItem(KEPT_AS, language);
}

/** A link may ask for one, as those of the donation page do. */
export function keepAskedLanguage(search: string): void {
  const asked = languageIn(search);
  if (asked !== null) keepLanguage(asked);
}
