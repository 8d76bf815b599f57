/** A moment as an input of the type `datetime-local` shows it: where the reader is, to the minute. */
export function localInput(moment: Date): string {
  const there = new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000);
  return there.toISOString().slice(0, 16);
}

/** What stands in such an input, or null where nothing does. */
export function momentOf(text: string): Date | null {
  const moment = new Date(text);
  return text === "" || Number.isNaN(moment.getTime()) ? null : moment;
}
