import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

import { FormField } from "../donate/field";
import type { Said } from "../language/speech";
import { type Money, parseAmount } from "../money";
import { useOneAtATime } from "../site/one_at_a_time";
import { useSpeech } from "./language";
import type { Plan } from "./plans_api";

interface Closable {
  readonly onClose: () => void;
}

export function AmountForm({
  plan,
  onSave,
  onClose,
}: Closable & { plan: Plan; onSave: (amount: Money) => Promise<void> }) {
  const speech = useSpeech();
  const { t } = speech;
  const { currency } = plan.amount;
  const [typed, setTyped] = useState(speech.typed(plan.amount));
  const [fault, setFault] = useState<Said | null>(null);
  const save = async () => {
    const amount = parseAmount(typed, currency);
    if ("fault" in amount) return setFault(() => amount.fault);
    await onSave(amount);
  };
  return (
    <Form label={t.amountSave} onSave={save} onClose={onClose}>
      <FormField
        id={`amount-${plan.id}`}
        label={t.amountLabel(currency)}
        suffix={currency}
        inputMode="decimal"
        value={typed}
        fault={fault?.(speech)}
        inputRef={focused}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
    </Form>
  );
}

export function PauseForm({ onSave, onClose }: Closable & { onSave: (until: string) => Promise<void> }) {
  const { t } = useSpeech();
  const [until, setUntil] = useState("");
  return (
    <Form label={t.pause} onSave={() => onSave(until)} onClose={onClose}>
      <div class="field">
        <label for="until">{t.pauseLabel}</label>
        <p class="hint" id="until-hint">
          {t.pauseHint}
        </p>
        <div class="input">
          <input
            ref={focused}
            id="until"
            type="date"
            aria-describedby="until-hint"
            value={until}
            onInput={(event) => setUntil(event.currentTarget.value)}
          />
        </div>
      </div>
    </Form>
  );
}

export function EndForm({ onSave, onClose }: Closable & { onSave: () => Promise<void> }) {
  const { t } = useSpeech();
  return (
    <Form label={t.endButton} onSave={onSave} onClose={onClose}>
      <p>{t.endWarning}</p>
    </Form>
  );
}

interface FormProps extends Closable {
  readonly label: string;
  readonly onSave: () => Promise<void>;
  readonly children: ComponentChildren;
}

function Form({ label, onSave, onClose, children }: FormProps) {
  const { t } = useSpeech();
  const once = useOneAtATime();
  return (
    <form noValidate onSubmit={once(onSave)}>
      {children}
      <button type="submit" class="primary">
        {label}
      </button>
      <button type="button" class="quiet" onClick={onClose}>
        {t.leave}
      </button>
    </form>
  );
}

/** The button that led here is gone: the first field takes the focus, once. */
function focused(input: HTMLInputElement | null): void {
  input?.focus();
}
