import type { TargetedEvent } from "preact";
import { useState } from "preact/hooks";

import { DonorFields, useFocusOnFault } from "../donate/details_form";
import { GiftOptionsForm } from "../donate/gift_options";
import { checkOptions, type OptionsDraft, SHARED_GIFTS_KEEP } from "../donate/gift_options_draft";
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
  readonly send: (split: NewSplit) => Promise<CreatedSplit>;
  readonly onCreated: (created: CreatedSplit) => void;
}

export function ShareForm(props: ShareFormProps) {
  const { known, currency, draft, options, onDraft, onOptions } = props;
  const { form, faults, formFault, isSending, submit } = useSubmission(props);
  const field = (name: "name" | "email") => ({
    id: name,
    value: draft[name],
    fault: faults[name],
    onInput: (event: TargetedEvent<HTMLInputElement>) => onDraft({ ...draft, [name]: event.currentTarget.value }),
  });
  const takesAnonymousGifts = draft.organizations.every((id) => known.get(id)?.takesAnonymousGifts);
  return (
    <form noValidate onSubmit={submit} ref={form}>
      <PartsFields {...{ known, draft, currency, faults, onDraft }} />
      <DonorFields field={field} />
      <GiftOptionsForm funds={[]} keeps={SHARED_GIFTS_KEEP} faults={{}} {...{ options, onOptions, takesAnonymousGifts }} />
      <p class="hint">
        Each organisation receives its part directly: your statement shows one payment for each, and each sends its own
        receipt.
      </p>
      <p class="fault" role="alert">
        {formFault}
      </p>
      <button type="submit" class="primary" aria-disabled={isSending}>
        {isSending ? "One moment…" : "Continue to payment"}
      </button>
    </form>
  );
}

function useSubmission({ known, currency, draft, options, send, onCreated }: ShareFormProps) {
  const [faults, setFaults] = useState<ShareFaults>(NO_FAULTS);
  const [formFault, setFormFault] = useState("");
  const [isSending, setSending] = useState(false);
  const once = useOneAtATime();
  const form = useFocusOnFault(faults);
  const submit = once(async () => {
    setFormFault("");
    const checked = checkShare(draft, currency);
    const more = checkOptions(options, SHARED_GIFTS_KEEP);
    setFaults("faults" in checked ? checked.faults : NO_FAULTS);
    if ("faults" in checked || "faults" in more) return;
    setSending(true);
    try {
      onCreated(await send({ ...checked, options: more.said }));
    } catch (fault) {
      setSending(false);
      setFormFault(sentenceAbout(fault, draft.organizations, known));
    }
  });
  return { form, faults, formFault, isSending, submit };
}

/** Names the organisation where the API speaks of one part. */
function sentenceAbout(fault: unknown, ids: readonly string[], known: ReadonlyMap<string, Organization>): string {
  const at = fault instanceof RequestFault ? /^parts\.([0-9]+)/.exec(fault.param)?.[1] : undefined;
  const name = at === undefined ? undefined : known.get(ids[Number(at)] ?? "")?.name;
  return name === undefined ? sentenceOf(fault) : `${name}: ${sentenceOf(fault)}`;
}
