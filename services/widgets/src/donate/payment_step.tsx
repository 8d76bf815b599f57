import { useState } from "preact/hooks";

import { asSaid } from "../language/speech";
import type { Rhythm } from "../rhythm";
import type { CreatedDonation, Organization } from "../site/api";
import { useOneAtATime } from "../site/one_at_a_time";
import { StepHeading } from "../site/step_heading";
import { useSpeech } from "./language";
import { usePaymentForm } from "./payment_form";
import { PlanTerms } from "./plan_terms";

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

export function PaymentStep({
  organization,
  created,
  rhythm,
  stripeJsUrl,
  returnUrl,
  onPaid,
  onBack,
}: PaymentStepProps) {
  const speech = useSpeech();
  const { t, money, language } = speech;
  const { payment, donation } = created;
  const { target, form, fault, setFault, reload } = usePaymentForm({ stripeJsUrl, payment, language, stores: false });
  const [isPaying, setPaying] = useState(false);
  const once = useOneAtATime();
  const gift = t.eachTime(money(donation.amount), rhythm);

  const pay = once(async () => {
    if (form === null) return;
    setPaying(true);
    setFault(null);
    const refusal = await form.confirm(returnUrl).catch(asSaid);
    if (refusal === null) return onPaid();
    setPaying(false);
    setFault(() => refusal);
  });
  return (
    <form noValidate onSubmit={pay}>
      <StepHeading>{t.giftTo(gift, organization.name)}</StepHeading>
      {donation.feeCover !== null && <p class="hint">{t.feeIncluded(money(donation.feeCover))}</p>}
      <p class="hint">{t.cardHint}</p>
      {form === null && fault === null && <p role="status">{t.formLoading}</p>}
      <div ref={target} class="payment-element" />
      {rhythm !== "once" && <PlanTerms {...donation} rhythm={rhythm} organization={organization.name} />}
      <p class="fault" role="alert">
        {fault?.(speech)}
      </p>
      {form === null ? (
        fault !== null && (
          <button type="button" class="primary" onClick={reload}>
            {t.tryAgain}
          </button>
        )
      ) : (
        <button type="submit" class="primary" aria-disabled={isPaying}>
          {isPaying ? t.oneMoment : t.donateButton(gift)}
        </button>
      )}
      <button type="button" class="quiet" onClick={onBack}>
        {t.changeDetails}
      </button>
    </form>
  );
}
