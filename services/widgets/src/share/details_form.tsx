import type { TargetedEvent } from "preact";
import { useState } from "preact/hooks";

import { DonorFields, useFocusOnFault } from "../donate/details_form";
import { GiftOptionsForm } from "../donate/gift_options";
import { checkOptions, type Keeps, type OptionFaults, type OptionsDraft, SHARED_GIFTS_KEEP } from "../donate/gift_options_draft";
import { SubmitButton, type Wait } from "../donate/submit_button";
import type { Organization } from "../site/api";
import { RequestFault, sentenceOf } from "../site/http";
import { useOneAtATime } from "../site/one_at_a_time";
import type { CreatedSplit, NewSplit } from "../site/split_gifts";
import { checkShare, NO_FAULTS, type SharedDraft, type ShareFaults } from "./draft";
import { PartsFields } from "./parts_fields";

interface ShareFormProps {
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
  const { known, currency, draft, options, onDraft, onOptions } = props;
  // Ticked before somebody was added who has to know their donors, it is neither shown nor sent.
  const takesAnonymousGifts = draft.organizations.every((id) => known.get(id)?.takesAnonymousGifts);
  const keeps = { ...SHARED_GIFTS_KEEP, anonymity: takesAnonymousGifts };
  const { form, faults, optionFaults, formFault, wait, submit } = useSubmission(props, keeps);
  const field = (name: "name" | "email") => ({
    id: name,
    value: draft[name],
    fault: faults[name],
    onInput: (event: TargetedEvent<HTMLInputElement>) => onDraft({ ...draft, [name]: event.currentTarget.value }),
  });
  return (
    <form noValidate onSubmit={submit} ref={form}>
      <PartsFields {...{ known, draft, currency, faults, onDraft }} />
      <DonorFields field={field} />
      <GiftOptionsForm funds={[]} faults={optionFaults} {...{ keeps, options, onOptions, takesAnonymousGifts }} />
      <p class="hint">
        Each organisation receives its part directly: your statement shows one payment for each, and each sends its own
        receipt.
      </p>
      <p class="fault" role="alert">
        {formFault}
      </p>
      <SubmitButton wait={wait} />
    </form>
  );
}

function useSubmission({ known, currency, draft, options, send, onCreated }: ShareFormProps, keeps: Keeps) {
  const [faults, setFaults] = useState<ShareFaults>(NO_FAULTS);
  const [optionFaults, setOptionFaults] = useState<OptionFaults>({});
  const [formFault, setFormFault] = useState("");
  const [wait, setWait] = useState<Wait>("");
  const once = useOneAtATime();
  const form = useFocusOnFault(faults, optionFaults);
  const submit = once(async () => {
    setFormFault("");
    const checked = checkShare(draft, currency);
    const more = checkOptions(options, keeps);
    setFaults("faults" in checked ? checked.faults : NO_FAULTS);
    setOptionFaults("faults" in more ? more.faults : {});
    if ("faults" in checked || "faults" in more) return;
    setWait("sending");
    try {
      onCreated(await send({ ...checked, options: more.said }, () => setWait("checking")));
    } catch (fault) {
      setWait("");
      setFormFault(sentenceAbout(fault, draft.organizations, known));
    }
  });
  return { form, faults, optionFaults, formFault, wait, submit };
}

/** Names the organisation where the API speaks of one part. */
function sentenceAbout(fault: unknown, ids: readonly string[], known: ReadonlyMap<string, Organization>): string {
  const at = fault instanceof RequestFault ? /^parts\.([0-9]+)/.exec(fault.param)?.[1] : undefined;
  const name = at === undefined ? undefined : known.get(ids[Number(at)] ?? "")?.name;
  return name === undefined ? sentenceOf(fault) : `${name}: ${sentenceOf(fault)}`;
}
