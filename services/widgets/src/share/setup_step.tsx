import { useState } from "preact/hooks";

import { useSpeech } from "../donate/language";
import { usePaymentForm } from "../donate/payment_form";
import { asSaid } from "../language/speech";
import type { Money } from "../money";
import type { PaymentHandle } from "../site/api";
import { useOneAtATime } from "../site/one_at_a_time";
import { StepHeading } from "../site/step_heading";

interface SetupStepProps {
  readonly setup: PaymentHandle;
  /** Of the whole gift; null where only what failed before is paid now. */
  readonly amount: Money | null;
  /** What of it the donor added for the fees; null without. */
  readonly feeCover: Money | null;
  readonly stripeJsUrl: string;
  /** Where a bank that leaves this page sends the donor back to. */
  readonly returnUrl: string;
  readonly onEntered: () => void;
  readonly onBack: () => void;
}

/** One card or account for all parts: entered once, charged by each organisation for its part. */
export function SetupStep({ setup, amount, feeCover, stripeJsUrl, returnUrl, onEntered, onBack }: SetupStepProps) {
  const speech = useSpeech();
  const { t, money, language } = speech;
  const { target, form, fault, setFault, reload } = usePaymentForm({
    stripeJsUrl,
    payment: setup,
    language,
    stores: true,
  });
  const [isBusy, setBusy] = useState(false);
  const once = useOneAtATime();
  const submit = once(async () => {
    if (form === null) return;
    setBusy(true);
    setFault(null);
    const refusal = await form.confirm(returnUrl).catch(asSaid);
    if (refusal === null) return onEntered();
    setBusy(false);
    setFault(() => refusal);
  });
  return (
    <form noValidate onSubmit={submit}>
      <StepHeading>{amount === null ? t.otherCardFor : t.sumInAll(money(amount))}</StepHeading>
      {feeCover !== null && <p class="hint">{t.feeIncluded(money(feeCover))}</p>}
      <p class="hint">{t.chargedForEach}</p>
      {form === null && fault === null && <p role="status">{t.formLoading}</p>}
      <div ref={target} class="payment-element" />
      <p class="fault" role="alert">
        {fault?.(speech)}
      </p>
      {form !== null && (
        <button type="submit" class="primary" aria-disabled={isBusy}>
          {isBusy ? t.oneMoment : amount === null ? t.payFailed : t.donateButton(money(amount))}
        </button>
      )}
      {form === null && fault !== null && (
        <button type="button" class="primary" onClick={reload}>
          {t.tryAgain}
        </button>
      )}
      <button type="button" class="quiet" onClick={onBack}>
        {amount === null ? t.leaveIt : t.changeDetails}
      </button>
    </form>
  );
}
