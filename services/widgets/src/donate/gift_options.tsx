import type { ComponentChildren, TargetedEvent } from "preact";
import { useEffect, useState } from "preact/hooks";

import type { Api, Fund, Organization } from "../site/api";
import { FormField, FormText } from "./field";
import type { Keeps, OptionFaults, OptionsDraft } from "./gift_options_draft";

interface GiftOptionsFormProps {
  /** The organisation's open funds; none where the gift goes to several. */
  readonly funds: readonly Fund[];
  readonly takesAnonymousGifts: boolean;
  readonly keeps: Keeps;
  readonly options: OptionsDraft;
  readonly faults: OptionFaults;
  readonly onOptions: (options: OptionsDraft) => void;
}

type Typed = Exclude<keyof OptionsDraft, "isAnonymous" | "fund" | "dedication">;

/** Everything but amount and donor, folded away: most people give without it. */
export function GiftOptionsForm({ funds, takesAnonymousGifts, keeps, options, faults, onOptions }: GiftOptionsFormProps) {
  const text = (name: Typed, maxLength: number) => ({
    id: name,
    value: options[name],
    maxLength,
    required: false,
    fault: faults[name],
    onInput: (event: TargetedEvent<HTMLInputElement | HTMLTextAreaElement>) =>
      onOptions({ ...options, [name]: event.currentTarget.value }),
  });
  const choose = (name: "fund" | "dedication") => (event: TargetedEvent<HTMLSelectElement>) =>
    onOptions({ ...options, [name]: event.currentTarget.value });
  return (
    <details class="options" open={Object.keys(faults).length > 0 || undefined}>
      <summary>Say more about your gift</summary>
      {keeps.fund && funds.length > 0 && (
        <Choice id="fund" label="What it is for" value={options.fund} onChange={choose("fund")}>
          <option value="">Wherever it is needed most</option>
          {funds.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </Choice>
      )}
      {keeps.dedication && (
        <Choice id="dedication" label="Dedicate it" value={options.dedication} onChange={choose("dedication")}>
          <option value="">To nobody</option>
          <option value="in_honour_of">In honour of somebody</option>
          <option value="in_memory_of">In memory of somebody</option>
        </Choice>
      )}
      {keeps.dedication && options.dedication !== "" && (
        <fieldset class="group">
          <legend>Your dedication</legend>
          <FormField {...text("honouree", 100)} label={`In ${HOW[options.dedication]} of`} />
          <FormField
            {...text("toldName", 100)}
            label="Whom we should tell"
            hint="You may leave this empty. They get one letter, which does not say how much you gave."
          />
          <FormField {...text("toldEmail", 254)} label="E-mail address of whom we tell" type="email" />
        </fieldset>
      )}
      {keeps.company && (
        <FormField {...text("company", 200)} label="Company" hint="If a company gives: the receipt is made out to it." />
      )}
      {keeps.company && options.company.trim() !== "" && (
        <FormField {...text("taxId", 40)} label="Its tax number" hint="Where its receipts need one." />
      )}
      <FormText {...text("message", 2000)} label="A message to the organisation" />
      {keeps.anonymity && takesAnonymousGifts && (
        <label class="choice">
          <input
            type="checkbox"
            checked={options.isAnonymous}
            onChange={(event) => onOptions({ ...options, isAnonymous: event.currentTarget.checked })}
          />
          Do not tell the organisation who I am
        </label>
      )}
    </details>
  );
}

const HOW = { in_honour_of: "honour", in_memory_of: "memory" } as const;

interface ChoiceProps {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly onChange: (event: TargetedEvent<HTMLSelectElement>) => void;
  readonly children: ComponentChildren;
}

export function Choice({ id, label, children, ...select }: ChoiceProps) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="input">
        <select {...select} id={id} name={id}>
          {children}
        </select>
      </div>
    </div>
  );
}

/** The funds that are open; none while they cannot be had: the gift matters more than what it is for. */
export function useFunds(api: Api, organization: Organization): readonly Fund[] {
  const [funds, setFunds] = useState<readonly Fund[]>([]);
  useEffect(() => {
    api.openFunds(organization.id).then(setFunds, () => setFunds([]));
  }, [organization.id]);
  return funds;
}
