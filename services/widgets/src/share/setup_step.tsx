import { useState } from "preact/hooks";

import { usePaymentForm } from "../donate/payment_step";
import { formatMoney, type Money } from "../money";
import type { PaymentHandle } from "../site/api";
import { sentenceOf } from "../site/http";
import { useOneAtATime } from "../site/one_at_a_time";
import { StepHeading } from "../site/step_heading";

interface SetupStepProps {
  readonly setup: PaymentHandle;
  /** Of the whole gift; null where only what failed before is paid now. */
  readonly amount: Money | null;
  readonly stripeJsUrl: string;
  /** Where a bank that leaves this page sends the donor back to. */
  readonly returnUrl: string;
  readonly onEntered: () => void;
  readonly onBack: () => void;
}

/** One card or account for all parts: entered once, charged by each organisation for its part. */
export function SetupStep({ setup, amount, stripeJsUrl, returnUrl, onEntered, onBack }: SetupStepProps) {
  const { target, form, fault, setFault, reload } = usePaymentForm(stripeJsUrl, setup, true);
  const [isBusy, setBusy] = useState(false);
  const once = useOneAtATime();
  const submit = once(async () => {
    if (form === null) return;
    setBusy(true);
    setFault("");
    const refusal = await form.confirm(returnUrl).catch(sentenceOf);
    if (refusal === null) return onEntered();
    setBusy(false);
    setFault(refusal);
  });
  return (
    <form noValidate onSubmit={submit}>
      <StepHeading>{amount === null ? "Another card for what failed" : `${formatMoney(amount)} in all`}</StepHeading>
      <p class="hint">
        Your card is charged once for each organisation that is not paid yet, and forgotten afterwards. Its details go to Stripe
        alone; neither we nor this page see them.
      </p>
      {form === null && fault === "" && <p role="status">Loading the payment form…</p>}
      <div ref={target} class="payment-element" />
      <p class="fault" role="alert">
        {fault}
      </p>
      {form !== null && (
        <button type="submit" class="primary" aria-disabled={isBusy}>
          {isBusy ? "One moment…" : amount === null ? "Pay what failed" : `Donate ${formatMoney(amount)}`}
        </button>
      )}
      {form === null && fault !== "" && (
        <button type="button" class="primary" onClick={reload}>
          Try again
        </button>
      )}
      <button type="button" class="quiet" onClick={onBack}>
        {amount === null ? "Leave it as it is" : "Change the details"}
      </button>
    </form>
  );
}
