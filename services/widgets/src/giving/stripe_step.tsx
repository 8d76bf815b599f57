import { useState } from "preact/hooks";

import { usePaymentForm } from "../donate/payment_step";
import type { PaymentHandle } from "../site/api";
import { sentenceOf } from "../site/http";
import { useOneAtATime } from "../site/one_at_a_time";

interface StripeStepProps {
  readonly handle: PaymentHandle;
  /** A card or account is stored for the gifts to come; otherwise what was declined is paid now. */
  readonly stores: boolean;
  readonly stripeJsUrl: string;
  readonly onDone: () => Promise<void>;
  readonly onClose: () => void;
}

export function StripeStep({ handle, stores, stripeJsUrl, onDone, onClose }: StripeStepProps) {
  const { target, form, fault, setFault } = usePaymentForm(stripeJsUrl, handle, stores);
  const [isBusy, setBusy] = useState(false);
  const once = useOneAtATime();
  const submit = once(async () => {
    if (form === null) return;
    setBusy(true);
    setFault("");
    const refusal = await form.confirm(new URL("/giving/", location.href).href).catch(sentenceOf);
    if (refusal === null) await onDone();
    else setFault(refusal);
    setBusy(false);
  });
  return (
    <form noValidate onSubmit={submit}>
      <p class="hint">Your card details go to Stripe alone; neither we nor this page see them.</p>
      {form === null && fault === "" && <p role="status">Loading the payment form…</p>}
      <div ref={target} class="payment-element" />
      <p class="fault" role="alert">
        {fault}
      </p>
      {form !== null && (
        <button type="submit" class="primary" aria-disabled={isBusy}>
          {isBusy ? "One moment…" : stores ? "Store it for my gifts" : "Pay now"}
        </button>
      )}
      <button type="button" class="quiet" onClick={onClose}>
        Leave it as it is
      </button>
    </form>
  );
}
