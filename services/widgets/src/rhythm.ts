/** How often somebody gives, and on which days; the API counts them (modules/recurring/due_dates.py), and a test compares the two. */

export const RHYTHMS = ["once", "month", "quarter", "year"] as const;
export type Rhythm = (typeof RHYTHMS)[number];

const MONTHS: Readonly<Record<Rhythm, number>> = { once: 0, month: 1, quarter: 3, year: 12 };

export function rhythmFrom(text: string): Rhythm {
  return RHYTHMS.find((known) => known === text) ?? "once";
}

/**
 * The day of the gift after the first, on the calendar of `timeZone` (IANA), as midnight UTC of that day: the same day of
 * the month as the first, or the last of a shorter month.
 */
export function secondGiftOn(first: Date, rhythm: Rhythm, timeZone: string): Date {
  const { year, month, day } = calendarDay(first, timeZone);
  const index = month - 1 + MONTHS[rhythm];
  const lastOfMonth = new Date(Date.UTC(year, index + 1, 0)).getUTCDate();
  return new Date(Date.UTC(year, index, Math.min(day, lastOfMonth)));
}

/** The day of the month on which a plan that begins now is collected. */
export function dayOfMonth(first: Date, timeZone: string): number {
  return calendarDay(first, timeZone).day;
}

/** The zone whose calendar counts, as the API takes it; some browsers know only how far they are from UTC. */
export function donorsTimeZone(): string {
  const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return /^[A-Za-z]/.test(zone ?? "") ? zone : "UTC";
}

function calendarDay(moment: Date, timeZone: string): { year: number; month: number; day: number } {
  const format = new Intl.DateTimeFormat("en-US", { timeZone, year: "numeric", month: "numeric", day: "numeric" });
  const parts = new Map(format.formatToParts(moment).map(({ type, value }) => [type, Number(value)]));
  return { year: parts.get("year")!, month: parts.get("month")!, day: parts.get("day")! };
}
