import type { TargetedEvent } from "preact";
import { useState } from "preact/hooks";

import { AddressFields } from "../donate/address_fields";
import { DonorFields, FEE_CHANGED, FEE_NOT_KNOWN, useFocusOnFault } from "../donate/details_form";
import { fieldFaultIn } from "../donate/draft";
import { chosenCover, FeeCoverChoice } from "../donate/fee_cover";
import { GiftAidChoice } from "../donate/gift_aid";
import { FundChoice, GiftOptionsForm, useFunds } from "../donate/gift_options";
import {
  checkOptions,
  type Keeps,
  keepsOf,
  type OptionFaults,
  type OptionsDraft,
  optionFaultIn,
} from "../donate/gift_options_draft";
import { type Said, useSpeech } from "../donate/language";
import { SubmitButton, type Wait } from "../donate/submit_button";
import { asSaid } from "../language/speech";
import type { Api, Organization } from "../site/api";
import { RequestFault } from "../site/http";
import { useOneAtATime } from "../site/one_at_a_time";
import type { CreatedSplit, NewSplit, SplitGiftsApi } from "../site/split_gifts";
import { checkShare, NO_FAULTS, type SharedDraft, type ShareFaults, wholeOf } from "./draft";
import { FeesOfParts, type SharedOffer, useSharedOffer } from "./fees_of_parts";
import { PartsFields } from "./parts_fields";

interface ShareFormProps {
  readonly api: Api;
  readonly splits: SplitGiftsApi;
  readonly known: ReadonlyMap<string, Organization>;
  readonly currency: string;
  readonly draft: SharedDraft;
  readonly options: OptionsDraft;
  readonly onDraft: (draft: SharedDraft) => void;
  readonly onOptions: (options: OptionsDraft) => void;
  readonly send: (split: NewSplit, onChallenge: () => void) => Promise<CreatedSplit>;
  readonly onCreated: (created: CreatedSplit) => void;
}

export function ShareForm(props: ShareFormProps) {
  const { splits, known, currency, draft, options, onDraft, onOptions } = props;
  const speech = useSpeech();
  const { t } = speech;
  const chosen = draft.organizations.flatMap((id) => known.get(id) ?? []);
  const offer = useSharedOffer(splits, draft, currency);
  const keeps = keepsOf(chosen, currency, options);
  const { form, faults, optionFaults, feeFault, formFault, wait, submit } = useSubmission(props, keeps, offer);
  const said = { options, onOptions, faults: optionFaults };
  const field = (name: "name" | "email") => ({
    id: name,
    value: draft[name],
    fault: faults[name]?.(speech),
    onInput: (event: TargetedEvent<HTMLInputElement>) => onDraft({ ...draft, [name]: event.currentTarget.value }),
  });
  return (
    <form noValidate onSubmit={submit} ref={form}>
      <PartsFields {...{ known, draft, currency, faults, onDraft }} />
      <FeeCoverChoice
        offer={offer}
        method={draft.coversFeeOf}
        fault={feeFault}
        onMethod={(coversFeeOf) => onDraft({ ...draft, coversFeeOf })}
      >
        {offer !== null && <FeesOfParts offer={offer} method={draft.coversFeeOf} known={known} />}
      </FeeCoverChoice>
      <DonorFields field={field} />
      {keeps.address && <AddressFields {...said} />}
      {keeps.giftAid && (
        <GiftAidChoice {...said} organizations={chosen} rhythm="once" amount={wholeOf(draft, currency)} />
      )}
      <GiftOptionsForm {...said} keeps={keeps}>
        <FundsOfParts {...props} chosen={chosen} />
      </GiftOptionsForm>
      <p class="hint">{t.eachDirectly}</p>
      <p class="fault" role="alert">
        {formFault?.(speech)}
      </p>
      <SubmitButton wait={wait} />
    </form>
  );
}

function FundsOfParts({ api, draft, chosen, onDraft }: ShareFormProps & { readonly chosen: readonly Organization[] }) {
  const { t } = useSpeech();
  const funds = useFunds(api, draft.organizations);
  return (
    <>
      {chosen.map(({ id, name }) => (
        <FundChoice
          key={id}
          id={`fund-${id}`}
          label={t.whatForAt(name)}
          funds={funds.get(id) ?? []}
          chosen={draft.funds[id] ?? ""}
          onFund={(fund) => onDraft({ ...draft, funds: { ...draft.funds, [id]: fund } })}
        />
      ))}
    </>
  );
}

function useSubmission(
  { known, currency, draft, options, send, onCreated }: ShareFormProps,
  keeps: Keeps,
  offer: SharedOffer | null,
) {
  const { language } = useSpeech();
  const [faults, setFaults] = useState<ShareFaults>(NO_FAULTS);
  const [optionFaults, setOptionFaults] = useState<OptionFaults>({});
  const [feeFault, setFeeFault] = useState<Said | null>(null);
  const [formFault, setFormFault] = useState<Said | null>(null);
  const [wait, setWait] = useState<Wait>("");
  const once = useOneAtATime();
  const form = useFocusOnFault(faults, optionFaults);
  const refused = (fault: unknown) => {
    if (!(fault instanceof RequestFault)) return setFormFault(() => asSaid(fault));
    if (fault.param.includes("fee_cover")) return setFeeFault(() => FEE_CHANGED);
    const [found, more] = [fault.param.startsWith("donor.") ? fieldFaultIn(fault) : null, optionFaultIn(fault)];
    if (found !== null) setFaults({ ...NO_FAULTS, ...found });
    else if (more !== null) setOptionFaults(more);
    else setFormFault(() => saidAbout(fault, draft.organizations, known));
  };
  const submit = once(async () => {
    setFormFault(null);
    setFeeFault(null);
    const checked = checkShare(draft, currency);
    const more = checkOptions(options, keeps);
    setFaults("faults" in checked ? checked.faults : NO_FAULTS);
    setOptionFaults("faults" in more ? more.faults : {});
    if ("faults" in checked || "faults" in more) return;
    // What was ticked for other parts is not what the donor has seen for these.
    const { coversFeeOf } = draft;
    if (coversFeeOf !== null && offer === null) return setFeeFault(() => FEE_NOT_KNOWN);
    const isCovered = chosenCover(offer, coversFeeOf) !== undefined;
    const feeCover = (id: string) => (isCovered ? chosenCover(offer!.parts.get(id) ?? null, coversFeeOf) : undefined);
    const parts = checked.parts.map((part) => ({
      ...part,
      fundId: draft.funds[part.organizationId] || null,
      feeCover: feeCover(part.organizationId),
    }));
    setWait("sending");
    try {
      onCreated(await send({ ...checked, parts, language, options: more.said }, () => setWait("checking")));
    } catch (fault) {
      setWait("");
      refused(fault);
    }
  });
  return { form, faults, optionFaults, feeFault, formFault, wait, submit };
}

/** Names the organisation where the API speaks of one part. */
function saidAbout(fault: RequestFault, ids: readonly string[], known: ReadonlyMap<string, Organization>): Said {
  const at = /^parts\.([0-9]+)/.exec(fault.param)?.[1];
  const name = at === undefined ? undefined : known.get(ids[Number(at)] ?? "")?.name;
  return (speech) => (name === undefined ? speech.fault(fault) : speech.t.about(name, speech.fault(fault)));
}
