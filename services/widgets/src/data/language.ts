import { useSpeech } from "../account/language";
import { type Language, localeOf } from "../language/language";
import { formatMoney, type Money } from "../money";
import { DE } from "./texts/de";
import { type DataTexts, EN } from "./texts/en";
import { FR } from "./texts/fr";

export const DATA_TEXTS: Readonly<Record<Language, DataTexts>> = { en: EN, de: DE, fr: FR };

const KILO = 1000;
const SIZES = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** What the page says, and how it writes what it shows. */
export interface DataSpeech {
  readonly t: DataTexts;
  readonly day: (moment: Date) => string;
  /** `2026-10` as a month of a year. */
  readonly month: (month: string) => string;
  readonly number: (value: number) => string;
  readonly percent: (share: number) => string;
  readonly size: (bytes: number) => string;
  /** Below zero too: what was corrected. */
  readonly money: (amount: Money) => string;
  readonly fault: (reason: unknown) => string;
}

export function useDataSpeech(): DataSpeech {
  const { language, day, fault } = useSpeech();
  const locale = localeOf(language);
  const written = (value: number, style: Intl.NumberFormatOptions) =>
    new Intl.NumberFormat(locale, style).format(value);
  return {
    t: DATA_TEXTS[language],
    day,
    fault,
    month: (month) =>
      new Intl.DateTimeFormat(locale, { month: "short", year: "numeric", timeZone: "UTC" }).format(
        new Date(`${month}-01T00:00:00Z`),
      ),
    number: (value) => written(value, {}),
    percent: (share) => written(share, { style: "percent", maximumFractionDigits: 0 }),
    size: (bytes) => {
      const step = bytes === 0 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), SIZES.length - 1);
      return written(bytes / KILO ** step, {
        style: "unit",
        unit: SIZES[step]!,
        unitDisplay: "short",
        maximumFractionDigits: 1,
      });
    },
    money: ({ minorUnits, currency }) =>
      (minorUnits < 0n ? "−" : "") +
      formatMoney({ minorUnits: minorUnits < 0n ? -minorUnits : minorUnits, currency }, locale),
  };
}
