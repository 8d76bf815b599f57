import { formatMoney, type Money } from "../money";
import { dayOfMonth, donorsTimeZone, type Rhythm } from "../rhythm";
import { dayText, EACH, nextGift } from "./rhythm_choice";

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
  const sum = formatMoney(amount);
  const isLate = dayOfMonth(new Date(), donorsTimeZone()) > SHORTEST_MONTH_DAYS;
  return (
    <section class="terms" aria-label="What you agree to">
      <p>
        By paying you allow {organization} to collect {sum} from this card or account {EACH[rhythm]}, the next time on{" "}
        <strong>{dayText(nextGift(rhythm))}</strong>
        {isLate && ", in shorter months on the last day,"} until you end it.
      </p>
      <ul>
        <li>The first {sum} are paid now. Each gift gets its own receipt and its own entry in the public ledger.</li>
        {feeCover !== null && (
          <li>{formatMoney(feeCover)} of it cover the payment fee; no more is ever added to a gift, and less where less will do.</li>
        )}
        <li>We write to you at least two days before a bank account is debited, and before each yearly gift.</li>
        <li>
          Change the amount, skip, pause or end it at any time: by the link in each of our letters about it, or on{" "}
          <a href="/giving/">your recurring gifts</a> with your e-mail address alone.
        </li>
      </ul>
    </section>
  );
}
