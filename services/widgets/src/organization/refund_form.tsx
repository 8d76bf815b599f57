import { useRef } from "preact/hooks";

import { Told, useSpeech, wordsOf } from "../account/language";
import { FormField, FormSelect } from "../donate/field";
import { parseAmount } from "../money";
import { useOneAtATime } from "../site/one_at_a_time";
import { type Gift, leftOf, REFUND_REASONS, type RefundAsked, type RefundReason } from "./gifts_api";
import { type Guard, useFieldFaults } from "./refused";
import { lineOf } from "./texts_draft";
import { showField } from "./texts_fields";

/** What the API refuses of an amount. */
const OF_THE_AMOUNT: readonly string[] = [
  "refund_amount_not_acceptable",
  "amount_not_acceptable",
  "ledger_reversal_exceeds_original",
];

interface RefundFormProps {
  readonly gift: Gift;
  readonly onAsk: (asked: RefundAsked, guard: Guard) => Promise<void>;
  /** Told when what the form says is changed. */
  readonly onEdit: () => void;
  readonly onLeave: () => void;
}

/** How much of a gift goes back, and why. */
export function RefundForm({ gift, onAsk, onEdit, onLeave }: RefundFormProps) {
  const speech = useSpeech();
  const { t } = speech;
  const left = leftOf(gift);
  const [amountField, reasonField] = [`${gift.id}-amount`, `${gift.id}-reason`];
  const form = useRef<HTMLFormElement>(null);
  const { faults, refuse, guard } = useFieldFaults(
    ({ code }) => (OF_THE_AMOUNT.includes(code) ? amountField : null),
    (name) => form.current && showField(form.current, name),
  );
  const once = useOneAtATime();
  const submit = (event: Event) => {
    const said = new FormData(event.currentTarget as HTMLFormElement);
    const amount = parseAmount(lineOf(said, amountField), left.currency);
    return once(async () => {
      if ("fault" in amount) return refuse(new Map([[amountField, new Told((words) => words.refundAmountForm)]]));
      if (amount.minorUnits > left.minorUnits)
        return refuse(new Map([[amountField, new Told((words) => words.refundTooMuch)]]));
      refuse(new Map());
      await onAsk({ amount, reason: lineOf(said, reasonField) as RefundReason }, guard);
    })(event);
  };
  return (
    <form ref={form} onSubmit={submit} onInput={onEdit} noValidate>
      <p>{t.refundAbout}</p>
      <FormField
        id={amountField}
        label={t.refundAmount}
        hint={t.refundAmountHint(speech.money(left))}
        defaultValue={speech.typed(left)}
        suffix={left.currency}
        inputMode="decimal"
        autocomplete="off"
        fault={faults.has(amountField) ? wordsOf(speech, faults.get(amountField)) : undefined}
      />
      <FormSelect id={reasonField} label={t.refundReason} hint={t.refundReasonHint} fault={undefined}>
        {REFUND_REASONS.map((reason) => (
          <option key={reason} value={reason}>
            {t.refundReasons[reason]}
          </option>
        ))}
      </FormSelect>
      <div class="actions">
        <button type="submit" class="outlined">
          {t.refundNow}
        </button>
        <button type="button" class="outlined" onClick={onLeave}>
          {t.leaveIt}
        </button>
      </div>
    </form>
  );
}
