import type { TargetedInputEvent } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { exponentOf } from "../money";
import type { Api, CreatedDonation, NewDonation, Organization } from "../site/api";
import { RequestFault, sentenceOf } from "../site/http";
import { useOneAtATime } from "../site/one_at_a_time";
import { checkDraft, type Draft, FIELDS, type Field, type FieldFaults, fieldFaultIn } from "./draft";
import { chosenCover, FeeCoverChoice, type Offer, useOffer } from "./fee_cover";
import { FormField } from "./field";
import { checkOptions, GiftOptionsForm, type OptionsDraft } from "./gift_options";

const FEE_NOT_KNOWN = "The payment fee for this amount is not known yet. Wait a moment, or give without adding it.";
const FEE_CHANGED = "The payment fee has changed meanwhile. Reload the page to see it, or give without adding it.";

interface DetailsFormProps {
  readonly api: Api;
  readonly organization: Organization;
  readonly currency: string;
  readonly draft: Draft;
  readonly options: OptionsDraft;
  /** The donor came back from the payment to change something. */
  readonly isReturning: boolean;
  readonly onDraft: (draft: Draft) => void;
  readonly onOptions: (options: OptionsDraft) => void;
  /** The way to pay whose fee the donor covers; null: they add nothing. */
  readonly coversFeeOf: string | null;
  readonly onCoversFeeOf: (method: string | null) => void;
  readonly send: (donation: NewDonation) => Promise<CreatedDonation>;
  readonly onCreated: (created: CreatedDonation) => void;
}

export function DetailsForm(props: DetailsFormProps) {
  const { api, organization, currency, draft, onDraft, coversFeeOf, onCoversFeeOf } = props;
  const offer = useOffer(api, organization.id, draft.amount, currency);
  const { faults, feeFault, formFault, isSending, submit, refOf } = useSubmission(props, offer);
  const field = (name: Field) => ({
    id: name,
    value: draft[name],
    fault: faults[name],
    inputRef: refOf(name),
    onInput: (event: TargetedInputEvent<HTMLInputElement>) =>
      onDraft({ ...draft, [name]: event.currentTarget.value }),
  });
  return (
    <form noValidate onSubmit={submit}>
      <FormField
        {...field("amount")}
        label={`Amount in ${currency}`}
        suffix={currency}
        inputMode={exponentOf(currency) === 0 ? "numeric" : "decimal"}
        autocomplete="transaction-amount"
      />
      <FeeCoverChoice offer={offer} method={coversFeeOf} fault={feeFault} onMethod={onCoversFeeOf} />
      <FormField {...field("name")} label="Your name" autocomplete="name" maxLength={200} />
      <FormField
        {...field("email")}
        label="Your e-mail address"
        hint="For your receipt. It is never published."
        type="email"
        autocomplete="email"
        maxLength={254}
      />
      <GiftOptionsForm {...props} />
      <p class="fault" role="alert">
        {formFault}
      </p>
      <button type="submit" class="primary" aria-disabled={isSending}>
        {isSending ? "One moment…" : "Continue to payment"}
      </button>
    </form>
  );
}

function useSubmission(props: DetailsFormProps, offer: Offer | null) {
  const { organization, currency, draft, options, isReturning, coversFeeOf, send, onCreated } = props;
  const [faults, setFaults] = useState<FieldFaults>({});
  const [feeFault, setFeeFault] = useState<string>();
  const [formFault, setFormFault] = useState("");
  const [isSending, setSending] = useState(false);
  const once = useOneAtATime();
  const inputs = useRef<Partial<Record<Field, HTMLInputElement | null>>>({});
  // The button that led back here is gone.
  useLayoutEffect(() => {
    if (isReturning) inputs.current.amount?.focus();
  }, []);
  // The first field in need of attention takes the focus, and a screen reader reads its sentence with it.
  useLayoutEffect(() => {
    const first = FIELDS.find((name) => faults[name] !== undefined);
    if (first !== undefined) inputs.current[first]?.focus();
  }, [faults]);

  const submit = once(async () => {
    setFormFault("");
    setFeeFault(undefined);
    const checked = checkDraft(draft, organization.id, currency);
    setFaults("faults" in checked ? checked.faults : {});
    if ("faults" in checked) return;
    const feeCover = chosenCover(offer, coversFeeOf);
    // What was ticked for another amount is not what the donor has seen for this one.
    if (coversFeeOf !== null && offer === null) return setFeeFault(FEE_NOT_KNOWN);
    const more = checkOptions(options);
    if ("fault" in more) return setFormFault(more.fault);
    setSending(true);
    try {
      const fee = feeCover === undefined ? {} : { feeCover };
      onCreated(await send({ ...checked.donation, ...fee, options: more.said }));
    } catch (fault) {
      setSending(false);
      if (fault instanceof RequestFault && fault.param.startsWith("fee_cover")) return setFeeFault(FEE_CHANGED);
      const found = fault instanceof RequestFault ? fieldFaultIn(fault) : null;
      if (found === null) setFormFault(sentenceOf(fault));
      else setFaults(found);
    }
  });
  const refOf = (name: Field) => (input: HTMLInputElement | null) => {
    inputs.current[name] = input;
  };
  return { faults, feeFault, formFault, isSending, submit, refOf };
}
