import { createContext } from "preact";
import { useContext } from "preact/hooks";

import { decimalText, formatMoney, type Money } from "../money";
import { RequestFault, sentenceOf } from "../site/http";
import { type Language, localeOf } from "./language";
import { DE } from "./texts/de";
import { type CommonTexts, EN } from "./texts/en";
import { FR } from "./texts/fr";

/** What a page's own table holds besides its sentences. */
export interface PageTexts {
  /** By a problem's code; null: the API's own sentences, which are English. */
  readonly faults: Readonly<Record<string, string>> | null;
}

/** What is said, and how amounts and days are written. `Page`: the texts that a page has beside those that all have. */
export interface Speech<Page = object> {
  readonly language: Language;
  readonly t: CommonTexts & Page;
  readonly money: (amount: Money) => string;
  /** As an amount field shows it, and `parseAmount` reads it back. */
  readonly typed: (amount: Money) => string;
  /** A calendar day, `2026-02-28` or its midnight UTC, which is the same in every time zone. */
  readonly day: (day: string | Date) => string;
  /** A fiscal year by its days: its number where it is a calendar year. */
  readonly year: (first: string, last: string) => string;
  /** "A, B and C". */
  readonly list: (names: readonly string[]) => string;
  readonly fault: (reason: unknown) => string;
}

/** A sentence that is worded where it is shown: it follows when somebody chooses another language. */
export type Said<Page = object> = (speech: Speech<Page>) => string;

/** A fault, to be worded where it is shown. */
export function asSaid(reason: unknown): Said {
  return ({ fault }) => fault(reason);
}

const COMMON: Readonly<Record<Language, CommonTexts>> = { en: EN, de: DE, fr: FR };

/** The speech of a page that has these texts, and how its parts get at it. */
export function speaking<Page extends PageTexts>(tables: Readonly<Record<Language, Page>>) {
  const speechIn = (language: Language) => speechWith({ ...COMMON[language], ...tables[language] }, language);
  const Spoken = createContext<Speech<Page>>(speechIn("en"));
  return { speechIn, SpokenIn: Spoken.Provider, useSpeech: () => useContext(Spoken) };
}

function speechWith<Page extends PageTexts>(t: CommonTexts & Page, language: Language): Speech<Page> {
  const locale = localeOf(language);
  const format = (day: string | Date, style: Intl.DateTimeFormatOptions) => {
    const midnight = typeof day === "string" ? new Date(`${day}T00:00:00Z`) : day;
    const written = new Intl.DateTimeFormat(locale, { ...style, timeZone: "UTC" }).format(midnight);
    // French counts the first of a month, and the locale's pattern does not know that.
    return language === "fr" ? written.replace(/^1 /, "1er ") : written;
  };
  return {
    language,
    t,
    money: (amount) => formatMoney(amount, locale),
    typed: (amount) => decimalText(amount, decimalPoint(locale)),
    day: (day) => format(day, { dateStyle: "long" }),
    year: (first, last) => {
      if (first.endsWith("-01-01")) return first.slice(0, 4);
      const month: Intl.DateTimeFormatOptions = { month: "long", year: "numeric" };
      return `${format(first, month)} – ${format(last, month)}`;
    },
    list: (names) => new Intl.ListFormat(locale, { type: "conjunction" }).format(names),
    fault: (reason) => (reason instanceof RequestFault ? wordsFor(reason, t) : null) ?? t.fault ?? sentenceOf(reason),
  };
}

/** What a page's own requests and the API's problems are called; null where the table knows none. */
function wordsFor(
  { code, status, isNotOffered }: RequestFault,
  { faults, own }: CommonTexts & PageTexts,
): string | null {
  for (const table of [faults ?? {}, own] as const) {
    if (Object.hasOwn(table, code)) return (table as Readonly<Record<string, string>>)[code] ?? null;
  }
  if (isNotOffered) return own.not_offered;
  return status >= 500 ? own.server : null;
}

function decimalPoint(locale: string): "." | "," {
  const point = new Intl.NumberFormat(locale).formatToParts(0.5).find(({ type }) => type === "decimal")?.value;
  return point === "," ? "," : ".";
}
