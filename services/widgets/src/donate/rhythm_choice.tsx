import { formatMoney } from "../money";
import { donorsTimeZone, type Rhythm, RHYTHMS, secondGiftOn } from "../rhythm";
import { acceptableAmount } from "./draft";

const LABELS: Readonly<Record<Rhythm, string>> = { once: "Once", month: "Monthly", quarter: "Quarterly", year: "Yearly" };
export const EACH: Readonly<Record<Rhythm, string>> = { once: "", month: "each month", quarter: "each quarter", year: "each year" };

interface RhythmChoiceProps {
  readonly rhythm: Rhythm;
  /** The amount as typed. */
  readonly amount: string;
  readonly currency: string;
  readonly onRhythm: (rhythm: Rhythm) => void;
}

/** How often; once, unless the donor says otherwise, and with what otherwise means. */
export function RhythmChoice({ onRhythm, ...about }: RhythmChoiceProps) {
  const { rhythm } = about;
  return (
    <fieldset class="field rhythm" aria-describedby="rhythm-hint">
      <legend>How often</legend>
      <div class="segments">
        {RHYTHMS.map((choice) => (
          <label key={choice}>
            <input type="radio" name="rhythm" value={choice} checked={choice === rhythm} onChange={() => onRhythm(choice)} />
            <span>{LABELS[choice]}</span>
          </label>
        ))}
      </div>
      <div id="rhythm-hint" class="hint" aria-live="polite">
        {rhythm !== "once" && <WhatItMeans {...about} />}
      </div>
    </fieldset>
  );
}

function WhatItMeans({ rhythm, amount, currency }: Omit<RhythmChoiceProps, "onRhythm">) {
  const money = acceptableAmount(amount, currency);
  const sum = "fault" in money ? "Your gift" : formatMoney(money);
  return (
    <>
      <p>
        {sum} now and then {EACH[rhythm]}, the next time on <strong>{dayText(nextGift(rhythm))}</strong>. You can change, pause
        or end it whenever you like, without an account: by the link in our letters, or on{" "}
        <a href="/giving/">your recurring gifts</a>.
      </p>
      <p>What you say of your gift below goes with each of them.</p>
    </>
  );
}

/** "€25.00", or "€25.00 each month". */
export function eachTime(amount: string, rhythm: Rhythm): string {
  return `${amount} ${EACH[rhythm]}`.trimEnd();
}

/** The day of the second gift of a plan that begins now. */
export function nextGift(rhythm: Rhythm): Date {
  return secondGiftOn(new Date(), rhythm, donorsTimeZone());
}

/** A calendar day, given as its midnight UTC, as the reader's locale writes it. */
export function dayText(day: Date): string {
  return new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeZone: "UTC" }).format(day);
}
