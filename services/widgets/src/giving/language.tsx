import { createContext } from "preact";
import { useContext } from "preact/hooks";

import { formatMoney, type Money } from "../money";
import { RequestFault, sentenceOf } from "../site/http";
import { DE } from "./texts/de";
import { EN, type Texts } from "./texts/en";
import { FR } from "./texts/fr";

export type Language = "en" | "de" | "fr";

export const LANGUAGES: Readonly<Record<Language, string>> = { en: "English", de: "Deutsch", fr: "Français" };

const TEXTS: Readonly<Record<Language, Texts>> = { en: EN, de: DE, fr: FR };
const KEPT_AS = "amply-giving-language";

/** What is said, and how amounts and days are written. */
export interface Speech {
  readonly language: Language;
  readonly t: Texts;
  readonly money: (amount: Money) => string;
  /** A calendar day, `2026-02-28`, which is the same in every time zone. */
  readonly day: (day: string) => string;
  /** A fiscal year by its days: its number where it is a calendar year. */
  readonly year: (first: string, last: string) => string;
  readonly fault: (reason: unknown) => string;
}

/** The language chosen in this tab, else the first of the browser's that the page has, else English. */
export function firstLanguage(): Language {
  const asked = [sessionStorage.getItem(KEPT_AS) ?? "", ...navigator.languages];
  return asked.map((tag) => tag.slice(0, 2).toLowerCase()).find(isLanguage) ?? "en";
}

export function keepLanguage(language: Language): void {
  sessionStorage.setItem(KEPT_AS, language);
}

export function speechIn(language: Language): Speech {
  const t = TEXTS[language];
  // As the reader's own country writes it, where the browser says which.
  const locale = navigator.languages.find((tag) => tag.slice(0, 2).toLowerCase() === language) ?? language;
  const format = (day: string, style: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale, { ...style, timeZone: "UTC" }).format(new Date(`${day}T00:00:00Z`));
  return {
    language,
    t,
    money: (amount) => formatMoney(amount, locale),
    day: (day) => format(day, { dateStyle: "long" }),
    year: (first, last) => {
      if (first.endsWith("-01-01")) return first.slice(0, 4);
      const month: Intl.DateTimeFormatOptions = { month: "long", year: "numeric" };
      return `${format(first, month)} – ${format(last, month)}`;
    },
    fault: (reason) => {
      const known = reason instanceof RequestFault ? t.faults[reason.code] : undefined;
      return known ?? t.fault ?? sentenceOf(reason);
    },
  };
}

const Spoken = createContext<Speech>(speechIn("en"));

export const SpokenIn = Spoken.Provider;

export function useSpeech(): Speech {
  return useContext(Spoken);
}

function isLanguage(text: string): text is Language {
  return text in TEXTS;
}
