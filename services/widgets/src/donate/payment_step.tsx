import { useEffect, useRef, useState } from "preact/hooks";

import { formatMoney } from "../money";
import type { Rhythm } from "../rhythm";
import type { CreatedDonation, Organization, PaymentHandle } from "../site/api";
import { sentenceOf } from "../site/http";
import { useOneAtATime } from "../site/one_at_a_time";
import { StepHeading } from "../site/step_heading";
import { PlanTerms } from "./plan_terms";
import { eachTime } from "./rhythm_choice";
import { mountPaymentForm, type PaymentForm } from "./stripe";

interface PaymentStepProps {
  readonly organization: Organization;
  readonly created: CreatedDonation;
  readonly rhythm: Rhythm;
  readonly stripeJsUrl: string;
  /** Where a payment method that leaves this page sends the donor back to. */
  readonly returnUrl: string;
  readonly onPaid: () => void;
  readonly onBack: () => void;
}

export function PaymentStep({ organization, created, rhythm, stripeJsUrl, returnUrl, onPaid, onBack }: PaymentStepProps) {
  const { target, form, fault, setFault, reload } = usePaymentForm(stripeJsUrl, created.payment);
  const [isPaying, setPaying] = useState(false);
  const once = useOneAtATime();
  const amount = formatMoney(created.donation.amount);

  const pay = once(async () => {
    if (form === null) return;
    setPaying(true);
    setFault("");
    const refusal = await form.confirm(returnUrl).catch(sentenceOf);
    if (refusal === null) return onPaid();
    setPaying(false);
    setFault(refusal);
  });
  return (
    <form noValidate onSubmit={pay}>
      <StepHeading>
        {eachTime(amount, rhythm)} to {organization.name}
      </StepHeading>
      {created.donation.feeCover !== null && (
        <p class="hint">{formatMoney(created.donation.feeCover)} of it are for the payment fee, as you chose.</p>
      )}
      <p class="hint">Your card details go to Stripe alone; neither we nor this page see them.</p>
      {form === null && fault === "" && <p role="status">Loading the payment form…</p>}
      <div ref={target} class="payment-element" />
      {rhythm !== "once" && <PlanTerms {...created.donation} rhythm={rhythm} organization={organization.name} />}
      <p class="fault" role="alert">
        {fault}
      </p>
      {form === null ? (
        fault !== "" && (
          <button type="button" class="primary" onClick={reload}>
            Try again
          </button>
        )
      ) : (
        <button type="submit" class="primary" aria-disabled={isPaying}>
          {isPaying ? "One moment…" : `Donate ${eachTime(amount, rhythm)}`}
        </button>
      )}
      <button type="button" class="quiet" onClick={onBack}>
        Change the details
      </button>
    </form>
  );
}

/** `stores`: a card or account is stored for later, and nothing is paid now. */
export function usePaymentForm(stripeJsUrl: string, payment: PaymentHandle, stores = false) {
  const target = useRef<HTMLDivElement>(null);
  const [form, setForm] = useState<PaymentForm | null>(null);
  const [fault, setFault] = useState("");
  const [tries, setTries] = useState(0);
  useEffect(() => {
    let mounted: PaymentForm | undefined;
    let isGone = false;
    const lose = (sentence: string) => {
      isGone = true;
      setForm(null);
      setFault(sentence);
    };
    mountPaymentForm(stripeJsUrl, payment, target.current!, lose, stores).then(
      (ready) => {
        if (isGone) return ready.remove();
        mounted = ready;
        setForm(ready);
      },
      (reason: unknown) => lose(sentenceOf(reason)),
    );
    return () => {
      isGone = true;
      mounted?.remove();
    };
  }, [tries]);
  const reload = () => {
    setFault("");
    setTries(tries + 1);
  };
  return { target, form, fault, setFault, reload };
}
