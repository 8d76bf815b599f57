import { useState } from "preact/hooks";

import { usePaymentForm } from "../donate/payment_step";
import type { PaymentHandle } from "../site/api";
import { sentenceOf } from "../site/http";
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
  const { t } = useSpeech();
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
      <p class="hint">{t.cardHint}</p>
      {form === null && fault === "" && <p role="status">{t.formLoading}</p>}
      <div ref={target} class="payment-element" />
      <p class="fault" role="alert">
        {fault === "" ? "" : (t.formFault ?? fault)}
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
