import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

import { FormField } from "../donate/field";
import { decimalText, type Money, parseAmount } from "../money";
import { useOneAtATime } from "../site/one_at_a_time";
import type { Plan } from "./plans_api";

interface Closable {
  readonly onClose: () => void;
}

export function AmountForm({ plan, onSave, onClose }: Closable & { plan: Plan; onSave: (amount: Money) => Promise<void> }) {
  const { currency } = plan.amount;
  const [typed, setTyped] = useState(decimalText(plan.amount));
  const [fault, setFault] = useState<string | undefined>();
  const save = async () => {
    const amount = parseAmount(typed, currency);
    if ("fault" in amount) return setFault(amount.fault);
    await onSave(amount);
  };
  return (
    <Form label="Save the amount" onSave={save} onClose={onClose}>
      <FormField
        id={`amount-${plan.id}`}
        label={`Amount in ${currency}, from the next gift on`}
        suffix={currency}
        inputMode="decimal"
        value={typed}
        fault={fault}
        inputRef={focused}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
    </Form>
  );
}

export function PauseForm({ onSave, onClose }: Closable & { onSave: (until: string) => Promise<void> }) {
  const [until, setUntil] = useState("");
  return (
    <Form label="Pause" onSave={() => onSave(until)} onClose={onClose}>
      <div class="field">
        <label for="until">The day your gifts go on</label>
        <p class="hint" id="until-hint">
          Leave it empty to pause until you resume.
        </p>
        <div class="input">
          <input ref={focused} id="until" type="date" aria-describedby="until-hint" value={until} onInput={(event) => setUntil(event.currentTarget.value)} />
        </div>
      </div>
    </Form>
  );
}

export function EndForm({ onSave, onClose }: Closable & { onSave: () => Promise<void> }) {
  return (
    <Form label="End these gifts" onSave={onSave} onClose={onClose}>
      <p>Nothing more will be collected. This cannot be undone; you can begin new gifts whenever you like.</p>
    </Form>
  );
}

interface FormProps extends Closable {
  readonly label: string;
  readonly onSave: () => Promise<void>;
  readonly children: ComponentChildren;
}

function Form({ label, onSave, onClose, children }: FormProps) {
  const once = useOneAtATime();
  return (
    <form noValidate onSubmit={once(onSave)}>
      {children}
      <button type="submit" class="primary">
        {label}
      </button>
      <button type="button" class="quiet" onClick={onClose}>
        Leave it as it is
      </button>
    </form>
  );
}

/** The button that led here is gone: the first field takes the focus, once. */
function focused(input: HTMLInputElement | null): void {
  input?.focus();
}
