import type { TargetedEvent } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { asSaid } from "../language/speech";
import { exponentOf } from "../money";
import type { Api, CreatedDonation, NewDonation, Organization, SharingOffer } from "../site/api";
import { RequestFault } from "../site/http";
import { useOneAtATime } from "../site/one_at_a_time";
import { useLayoutOnMount } from "../site/use_on_mount";
import { AddressFields } from "./address_fields";
import { DataSharingChoice, useSharingOffer } from "./data_sharing";
import { acceptableAmount, checkDraft, type Draft, type Field, type FieldFaults, fieldFaultIn } from "./draft";
import { chosenCover, FeeCoverChoice, type Offer, useOffer } from "./fee_cover";
import { FormField } from "./field";
import { GiftAidChoice } from "./gift_aid";
import { FundChoice, GiftOptionsForm, useFunds } from "./gift_options";
import {
  checkOptions,
  type Keeps,
  keepsOf,
  type OptionFaults,
  type OptionsDraft,
  optionFaultIn,
} from "./gift_options_draft";
import { type Said, useSpeech } from "./language";
import { RhythmChoice } from "./rhythm_choice";
import { SubmitButton, type Wait } from "./submit_button";

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
  const speech = useSpeech();
  const { t } = speech;
  const offer = useOffer(api, organization.id, draft.amount, currency);
  const funds = useFunds(api, [organization.id]).get(organization.id) ?? [];
  const keeps = keepsOf([organization], currency, options);
  const sharing = useSharing(api, draft.rhythm);
  const { form, faults, optionFaults, feeFault, formFault, wait, submit } = useSubmission(props, keeps, offer, sharing);
  const amount = acceptableAmount(draft.amount, currency);
  const said = { options, onOptions, faults: optionFaults };
  const field = (name: Field) => ({
    id: name,
    value: draft[name],
    fault: faults[name]?.(speech),
    onInput: (event: TargetedEvent<HTMLInputElement>) => onDraft({ ...draft, [name]: event.currentTarget.value }),
  });
  return (
    <form noValidate onSubmit={submit} ref={form}>
      <RhythmChoice {...draft} currency={currency} onRhythm={(rhythm) => onDraft({ ...draft, rhythm })} />
      <FormField
        {...field("amount")}
        {...amountField(currency)}
        label={t.amountIn(currency)}
        autocomplete="transaction-amount"
      />
      <FeeCoverChoice offer={offer} method={coversFeeOf} fault={feeFault} onMethod={onCoversFeeOf} />
      <DonorFields field={field} />
      {keeps.address && <AddressFields {...said} />}
      {keeps.giftAid && (
        <GiftAidChoice
          {...said}
          organizations={[organization]}
          rhythm={draft.rhythm}
          amount={"fault" in amount ? null : amount}
        />
      )}
      <GiftOptionsForm {...said} keeps={keeps}>
        <FundChoice
          id="fund"
          label={t.whatFor}
          funds={funds}
          chosen={options.fund}
          onFund={(fund) => onOptions({ ...options, fund })}
        />
      </GiftOptionsForm>
      {sharing !== null && <DataSharingChoice offer={sharing} options={options} onOptions={onOptions} />}
      <p class="fault" role="alert">
        {formFault?.(speech)}
      </p>
      <SubmitButton wait={wait} />
    </form>
  );
}

/** How an amount is typed. */
export function amountField(currency: string): { readonly suffix: string; readonly inputMode: "numeric" | "decimal" } {
  return { suffix: currency, inputMode: exponentOf(currency) === 0 ? "numeric" : "decimal" };
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
  const { t } = useSpeech();
  return (
    <>
      <FormField {...field("name")} label={t.yourName} autocomplete="name" maxLength={200} />
      <FormField
        {...field("email")}
        label={t.yourEmail}
        hint={t.yourEmailHint}
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
    // biome-ignore lint/correctness/useExhaustiveDependencies: the caller's faults are the list
  }, faults);
  return form;
}

/** Of one gift: who gives again and again decides on the page of their gifts. */
function useSharing(api: Api, rhythm: Draft["rhythm"]): SharingOffer | null {
  const offer = useSharingOffer(api);
  return rhythm === "once" ? offer : null;
}

function useSubmission(props: DetailsFormProps, keeps: Keeps, offer: Offer | null, sharing: SharingOffer | null) {
  const { organization, currency, draft, options, isReturning, coversFeeOf, send, onCreated } = props;
  const { language } = useSpeech();
  const [faults, setFaults] = useState<FieldFaults>({});
  const [optionFaults, setOptionFaults] = useState<OptionFaults>({});
  const [feeFault, setFeeFault] = useState<Said | null>(null);
  const [formFault, setFormFault] = useState<Said | null>(null);
  const [wait, setWait] = useState<Wait>("");
  const once = useOneAtATime();
  const form = useFocusOnFault(faults, optionFaults);
  // The button that led back here is gone.
  useLayoutOnMount(() => {
    if (isReturning) form.current?.querySelector<HTMLElement>("#amount")?.focus();
  });
  const refused = (fault: unknown) => {
    if (!(fault instanceof RequestFault)) return setFormFault(() => asSaid(fault));
    if (fault.param.startsWith("fee_cover")) return setFeeFault(() => FEE_CHANGED);
    if (fault.code === "recurring_not_offered") return setFormFault(() => NO_PLANS);
    const [found, more] = [fieldFaultIn(fault), optionFaultIn(fault)];
    if (found !== null) setFaults(found);
    else if (more !== null) setOptionFaults(more);
    else setFormFault(() => asSaid(fault));
  };

  const submit = once(async () => {
    setFormFault(null);
    setFeeFault(null);
    const checked = checkDraft(draft, organization.id, currency);
    const more = checkOptions(options, keeps);
    setFaults("faults" in checked ? checked.faults : {});
    setOptionFaults("faults" in more ? more.faults : {});
    if ("faults" in checked || "faults" in more) return;
    // What was ticked for another amount is not what the donor has seen for this one.
    if (coversFeeOf !== null && offer === null) return setFeeFault(() => FEE_NOT_KNOWN);
    const feeCover = chosenCover(offer, coversFeeOf);
    setWait("sending");
    try {
      const fee = feeCover === undefined ? {} : { feeCover };
      const ticked = sharing !== null && options.sharesData ? { dataSharing: sharing } : {};
      const donation = { ...checked.donation, ...fee, ...ticked, language, options: more.said };
      onCreated(await send(donation, () => setWait("checking")));
    } catch (fault) {
      setWait("");
      refused(fault);
    }
  });
  return { form, faults, optionFaults, feeFault, formFault, wait, submit };
}

export const FEE_NOT_KNOWN: Said = ({ t }) => t.feeNotKnown;
export const FEE_CHANGED: Said = ({ t }) => t.feeChanged;
const NO_PLANS: Said = ({ t }) => t.noPlans;
