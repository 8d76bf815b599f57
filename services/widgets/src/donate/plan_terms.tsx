import type { Money } from "../money";
import { dayOfMonth, donorsTimeZone, type Rhythm } from "../rhythm";
import { useSpeech } from "./language";
import { GivingLink } from "./links";
import { nextGift } from "./rhythm_choice";

const SHORTEST_MONTH_DAYS = 28;

interface PlanTermsProps {
  readonly rhythm: Rhythm;
  /** Of each gift in all, what covers the payment fee included. */
  readonly amount: Money;
  readonly feeCover: Money | null;
  readonly organization: string;
}

/** What a donor agrees to who pays the first of recurring gifts: it stands where they pay, before the button. */
export function PlanTerms({ rhythm, amount, feeCover, organization }: PlanTermsProps) {
  const { t, money, day } = useSpeech();
  const sum = money(amount);
  const isLate = dayOfMonth(new Date(), donorsTimeZone()) > SHORTEST_MONTH_DAYS;
  const next = <strong>{day(nextGift(rhythm))}</strong>;
  return (
    <section class="terms" aria-label={t.terms}>
      <p>{t.mandate({ organization, sum, each: t.each[rhythm], next, isLate })}</p>
      <ul>
        <li>{t.firstIsPaidNow(sum)}</li>
        {feeCover !== null && <li>{t.feeOfEach(money(feeCover))}</li>}
        <li>{t.notice}</li>
        <li>
          {t.changeAnyTime((words) => (
            <GivingLink>{words}</GivingLink>
          ))}
        </li>
      </ul>
    </section>
  );
}
