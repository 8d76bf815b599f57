import type { ComponentChildren, TargetedEvent } from "preact";
import { useEffect, useState } from "preact/hooks";

import type { Api, Fund, Organization } from "../site/api";
import { FormField, FormText } from "./field";
import type { Keeps, OptionFaults, OptionsDraft, TypedOption } from "./gift_options_draft";

interface GiftOptionsFormProps {
  /** The organisation's open funds; none where the gift goes to several. */
  readonly funds: readonly Fund[];
  readonly takesAnonymousGifts: boolean;
  readonly keeps: Keeps;
  readonly options: OptionsDraft;
  readonly faults: OptionFaults;
  readonly onOptions: (options: OptionsDraft) => void;
}

/** Everything but amount and donor, folded away: most people give without it. */
export function GiftOptionsForm(props: GiftOptionsFormProps) {
  const { funds, takesAnonymousGifts, keeps, options, faults, onOptions } = props;
  const text = typed(props);
  return (
    <details class="options" open={Object.keys(faults).length > 0 || undefined}>
      <summary>Say more about your gift</summary>
      {keeps.fund && funds.length > 0 && (
        <Choice
          id="fund"
          label="What it is for"
          value={options.fund}
          onChange={(event) => onOptions({ ...options, fund: event.currentTarget.value })}
        >
          <option value="">Wherever it is needed most</option>
          {funds.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </Choice>
      )}
      {keeps.dedication && <Dedication {...props} />}
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

const KINDS = { in_honour_of: "In honour of", in_memory_of: "In memory of" } as const;

function Dedication(props: GiftOptionsFormProps) {
  const { options, onOptions } = props;
  const text = typed(props);
  const choose = (event: TargetedEvent<HTMLSelectElement>) =>
    onOptions({ ...options, dedication: event.currentTarget.value as OptionsDraft["dedication"] });
  return (
    <>
      <Choice id="dedication" label="Dedicate it" value={options.dedication} onChange={choose}>
        <option value="">To nobody</option>
        {Object.entries(KINDS).map(([kind, words]) => (
          <option key={kind} value={kind}>
            {words} somebody
          </option>
        ))}
      </Choice>
      {options.dedication !== "" && (
        <fieldset class="group">
          <legend>Your dedication</legend>
          <FormField {...text("honouree", 100)} label={KINDS[options.dedication]} />
          <FormField
            {...text("toldName", 100)}
            label="Whom we should tell"
            hint="You may leave this empty. They get one letter, which does not say how much you gave."
          />
          <FormField {...text("toldEmail", 254)} label="E-mail address of whom we tell" type="email" />
        </fieldset>
      )}
    </>
  );
}

type TypedProps = Pick<GiftOptionsFormProps, "options" | "faults" | "onOptions">;

/** What a field of the options needs, by its name and the longest text it takes. */
export function typed({ options, faults, onOptions }: TypedProps) {
  return (name: TypedOption, maxLength: number) => ({
    id: name,
    value: options[name],
    maxLength,
    required: false,
    fault: faults[name],
    onInput: (event: TargetedEvent<HTMLInputElement | HTMLTextAreaElement>) =>
      onOptions({ ...options, [name]: event.currentTarget.value }),
  });
}

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
