import { useEffect, useRef, useState } from "preact/hooks";

import { asSaid, type Said } from "../language/speech";
import { type MountedFor, mountPaymentForm, type PaymentForm } from "./stripe";

/** Stripe's form in the page's language: who chooses another one enters their card in that. */
export function usePaymentForm(about: MountedFor) {
  const target = useRef<HTMLDivElement>(null);
  const [form, setForm] = useState<PaymentForm | null>(null);
  const [fault, setFault] = useState<Said | null>(null);
  const [tries, setTries] = useState(0);
  const isLost = useRef(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a form is mounted anew for another try and another language alone
  useEffect(() => {
    let mounted: PaymentForm | undefined;
    let isGone = false;
    const lose = (reason: unknown) => {
      isGone = isLost.current = true;
      setForm(null);
      setFault(() => asSaid(reason));
    };
    mountPaymentForm(about, target.current!, lose).then((ready) => {
      if (isGone) return ready.remove();
      mounted = ready;
      setForm(ready);
      if (isLost.current) setFault(null);
      isLost.current = false;
    }, lose);
    return () => {
      isGone = true;
      mounted?.remove();
      setForm(null);
    };
  }, [tries, about.language]);
  const reload = () => {
    setFault(null);
    setTries(tries + 1);
  };
  return { target, form, fault, setFault, reload };
}
