import { donorsTimeZone, RHYTHMS, type Rhythm, secondGiftOn } from "../rhythm";
import { acceptableAmount } from "./draft";
import { useSpeech } from "./language";
import { GivingLink } from "./links";

interface RhythmChoiceProps {
  readonly rhythm: Rhythm;
  /** The amount as typed. */
  readonly amount: string;
  readonly currency: string;
  readonly onRhythm: (rhythm: Rhythm) => void;
}

/** How often; once, unless the donor says otherwise, and with what otherwise means. */
export function RhythmChoice({ onRhythm, ...about }: RhythmChoiceProps) {
  const { t } = useSpeech();
  const { rhythm } = about;
  return (
    <fieldset class="field rhythm" aria-describedby="rhythm-hint">
      <legend>{t.howOften}</legend>
      <div class="segments">
        {RHYTHMS.map((choice) => (
          <label key={choice}>
            <input
              type="radio"
              name="rhythm"
              value={choice}
              checked={choice === rhythm}
              onChange={() => onRhythm(choice)}
            />
            <span>{t.rhythm[choice]}</span>
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
  const { t, money, day } = useSpeech();
  const sum = acceptableAmount(amount, currency);
  const next = <strong>{day(nextGift(rhythm))}</strong>;
  return (
    <>
      <p>
        {t.whatItMeans({
          sum: "fault" in sum ? t.yourGift : money(sum),
          each: t.each[rhythm],
          next,
          own: (words) => <GivingLink>{words}</GivingLink>,
        })}
      </p>
      <p>{t.saidOfEach}</p>
    </>
  );
}

/** The day of the second gift of a plan that begins now. */
export function nextGift(rhythm: Rhythm): Date {
  return secondGiftOn(new Date(), rhythm, donorsTimeZone());
}
