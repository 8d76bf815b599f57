import type { TargetedEvent } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { exponentOf } from "../money";
import type { Api, CreatedDonation, NewDonation, Organization } from "../site/api";
import { RequestFault, sentenceOf } from "../site/http";
import { useOneAtATime } from "../site/one_at_a_time";
import { checkDraft, type Draft, type Field, type FieldFaults, fieldFaultIn } from "./draft";
import { chosenCover, FeeCoverChoice, type Offer, useOffer } from "./fee_cover";
import { FormField } from "./field";
import { GiftAidChoice, keepsWithGiftAid } from "./gift_aid";
import { GiftOptionsForm, useFunds } from "./gift_options";
import { checkOptions, GIFTS_KEEP, type Keeps, type OptionFaults, type OptionsDraft } from "./gift_options_draft";
import { RhythmChoice } from "./rhythm_choice";
import { SubmitButton, type Wait } from "./submit_button";

const FEE_NOT_KNOWN = "The payment fee for this amount is not known yet. Wait a moment, or give without adding it.";
const NO_PLANS = "Recurring gifts are not set up here yet. You can give once instead.";
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
  readonly send: (donation: NewDonation, onChallenge: () => void) => Promise<CreatedDonation>;
  readonly onCreated: (created: CreatedDonation) => void;
}

export function DetailsForm(props: DetailsFormProps) {
  const { api, organization, currency, draft, options, onDraft, onOptions, coversFeeOf, onCoversFeeOf } = props;
  const offer = useOffer(api, organization.id, draft.amount, currency);
  const funds = useFunds(api, organization);
  const { takesAnonymousGifts } = organization;
  const keeps = keepsWithGiftAid(GIFTS_KEEP, organization, currency, options);
  const { form, faults, optionFaults, feeFault, formFault, wait, submit } = useSubmission(props, keeps, offer);
  const field = (name: Field) => ({
    id: name,
    value: draft[name],
    fault: faults[name],
    onInput: (event: TargetedEvent<HTMLInputElement>) => onDraft({ ...draft, [name]: event.currentTarget.value }),
  });
  return (
    <form noValidate onSubmit={submit} ref={form}>
      <RhythmChoice {...draft} currency={currency} onRhythm={(rhythm) => onDraft({ ...draft, rhythm })} />
      <FormField
        {...field("amount")}
        label={`Amount in ${currency}`}
        suffix={currency}
        inputMode={exponentOf(currency) === 0 ? "numeric" : "decimal"}
        autocomplete="transaction-amount"
      />
      <FeeCoverChoice offer={offer} method={coversFeeOf} fault={feeFault} onMethod={onCoversFeeOf} />
      <DonorFields field={field} />
      {keeps.giftAid && <GiftAidChoice {...draft} {...{ organization, currency, options, onOptions }} faults={optionFaults} />}
      <GiftOptionsForm
        {...{ funds, keeps, options, onOptions, takesAnonymousGifts }}
        faults={optionFaults}
      />
      <p class="fault" role="alert">
        {formFault}
      </p>
      <SubmitButton wait={wait} />
    </form>
  );
}

interface DonorFieldsProps {
  readonly field: (name: "name" | "email") => {
    readonly id: string;
    readonly value: string;
    readonly fault: string | undefined;
    readonly onInput: (event: TargetedEvent<HTMLInputElement>) => void;
  };
}

/** Who gives. */
export function DonorFields({ field }: DonorFieldsProps) {
  return (
    <>
      <FormField {...field("name")} label="Your name" autocomplete="name" maxLength={200} />
      <FormField
        {...field("email")}
        label="Your e-mail address"
        hint="For your receipt. It is never published."
        type="email"
        autocomplete="email"
        maxLength={254}
      />
    </>
  );
}

/** The first field in need of attention takes the focus whenever `faults` change, and a screen reader reads its sentence with it. */
export function useFocusOnFault(...faults: readonly object[]) {
  const form = useRef<HTMLFormElement>(null);
  useLayoutEffect(() => {
    form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, faults);
  return form;
}

function useSubmission(props: DetailsFormProps, keeps: Keeps, offer: Offer | null) {
  const { organization, currency, draft, options, isReturning, coversFeeOf, send, onCreated } = props;
  const [faults, setFaults] = useState<FieldFaults>({});
  const [optionFaults, setOptionFaults] = useState<OptionFaults>({});
  const [feeFault, setFeeFault] = useState<string>();
  const [formFault, setFormFault] = useState("");
  const [wait, setWait] = useState<Wait>("");
  const once = useOneAtATime();
  const form = useFocusOnFault(faults, optionFaults);
  // The button that led back here is gone.
  useLayoutEffect(() => {
    if (isReturning) form.current?.querySelector<HTMLElement>("#amount")?.focus();
  }, []);

  const submit = once(async () => {
    setFormFault("");
    setFeeFault(undefined);
    const checked = checkDraft(draft, organization.id, currency);
    const more = checkOptions(options, keeps);
    setFaults("faults" in checked ? checked.faults : {});
    setOptionFaults("faults" in more ? more.faults : {});
    if ("faults" in checked || "faults" in more) return;
    // What was ticked for another amount is not what the donor has seen for this one.
    if (coversFeeOf !== null && offer === null) return setFeeFault(FEE_NOT_KNOWN);
    const feeCover = chosenCover(offer, coversFeeOf);
    setWait("sending");
    try {
      const fee = feeCover === undefined ? {} : { feeCover };
      onCreated(await send({ ...checked.donation, ...fee, options: more.said }, () => setWait("checking")));
    } catch (fault) {
      setWait("");
      if (fault instanceof RequestFault && fault.param.startsWith("fee_cover")) return setFeeFault(FEE_CHANGED);
      if (fault instanceof RequestFault && fault.code === "recurring_not_configured") return setFormFault(NO_PLANS);
      const found = fault instanceof RequestFault ? fieldFaultIn(fault) : null;
      if (found === null) setFormFault(sentenceOf(fault));
      else setFaults(found);
    }
  });
  return { form, faults, optionFaults, feeFault, formFault, wait, submit };
}
