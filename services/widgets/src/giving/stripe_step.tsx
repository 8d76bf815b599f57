import { useState } from "preact/hooks";

import { usePaymentForm } from "../donate/payment_form";
import { asSaid } from "../language/speech";
import type { PaymentHandle } from "../site/api";
import { useOneAtATime } from "../site/one_at_a_time";
import { useSpeech } from "./language";

interface StripeStepProps {
  readonly handle: PaymentHandle;
  /** A card or account is stored for the gifts to come; otherwise what was declined is paid now. */
  readonly stores: boolean;
  readonly stripeJsUrl: string;
  readonly onDone: () => Promise<void>;
  readonly onClose: () => void;
}

export function StripeStep({ handle, stores, stripeJsUrl, onDone, onClose }: StripeStepProps) {
  const speech = useSpeech();
  const { t, language } = speech;
  const { target, form, fault, setFault } = usePaymentForm({ stripeJsUrl, payment: handle, language, stores });
  const [isBusy, setBusy] = useState(false);
  const once = useOneAtATime();
  const submit = once(async () => {
    if (form === null) return;
    setBusy(true);
    setFault(null);
    const refusal = await form.confirm(new URL("/giving/", location.href).href).catch(asSaid);
    if (refusal === null) await onDone();
    else setFault(() => refusal);
    setBusy(false);
  });
  return (
    <form noValidate onSubmit={submit}>
      <p class="hint">{t.cardHint}</p>
      {form === null && fault === null && <p role="status">{t.formLoading}</p>}
      <div ref={target} class="payment-element" />
      <p class="fault" role="alert">
        {fault?.(speech)}
      </p>
      {form !== null && (
        <button type="submit" class="primary" aria-disabled={isBusy}>
          {isBusy ? t.oneMoment : stores ? t.store : t.payNow}
        </button>
      )}
      <button type="button" class="quiet" onClick={onClose}>
        {t.leave}
      </button>
    </form>
  );
}
