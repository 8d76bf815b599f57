import type { TargetedEvent } from "preact";
import { useEffect, useState } from "preact/hooks";

import type { Api, Fund, GiftOptions, Organization } from "../site/api";
import { FormField } from "./field";

/** What a donor may say beside the amount, as typed. All of it may stay empty. */
export interface OptionsDraft {
  readonly fund: string;
  readonly dedication: "" | "in_honour_of" | "in_memory_of";
  readonly honouree: string;
  readonly toldName: string;
  readonly toldEmail: string;
  readonly company: string;
  readonly taxId: string;
  readonly message: string;
  readonly isAnonymous: boolean;
}

export const NO_OPTIONS: OptionsDraft = {
  ...{ fund: "", dedication: "", honouree: "", toldName: "", toldEmail: "" },
  ...{ company: "", taxId: "", message: "", isAnonymous: false },
};

interface GiftOptionsFormProps {
  readonly api: Api;
  readonly organization: Organization;
  readonly options: OptionsDraft;
  readonly onOptions: (options: OptionsDraft) => void;
}

/** Everything but amount and donor, folded away: most people give without it. */
export function GiftOptionsForm({ api, organization, options, onOptions }: GiftOptionsFormProps) {
  const funds = useFunds(api, organization);
  const text = (name: Exclude<keyof OptionsDraft, "isAnonymous">, maxLength: number) => ({
    id: name,
    value: options[name],
    maxLength,
    required: false,
    fault: undefined,
    inputRef: null,
    onInput: (event: TargetedEvent<HTMLInputElement>) => onOptions({ ...options, [name]: event.currentTarget.value }),
  });
  const choose = (name: "fund" | "dedication") => (event: TargetedEvent<HTMLSelectElement>) =>
    onOptions({ ...options, [name]: event.currentTarget.value });
  return (
    <details class="options">
      <summary>Say more about your gift</summary>
      {funds.length > 0 && (
        <Choice id="fund" label="What it is for" value={options.fund} onChange={choose("fund")}>
          <option value="">Wherever it is needed most</option>
          {funds.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </Choice>
      )}
      <Choice id="dedication" label="Dedicate it" value={options.dedication} onChange={choose("dedication")}>
        <option value="">To nobody</option>
        <option value="in_honour_of">In honour of somebody</option>
        <option value="in_memory_of">In memory of somebody</option>
      </Choice>
      {options.dedication !== "" && (
        <>
          <FormField {...text("honouree", 100)} label="Their name" />
          <FormField {...text("toldName", 100)} label="Whom we should tell" hint="One letter, without the amount." />
          <FormField {...text("toldEmail", 254)} label="Their e-mail address" type="email" />
        </>
      )}
      <FormField {...text("company", 200)} label="Company" hint="If a company gives: the receipt is made out to it." />
      {options.company.trim() !== "" && <FormField {...text("taxId", 40)} label="Its tax number" />}
      <FormField {...text("message", 2000)} label="A message to the organisation" />
      {organization.takesAnonymousGifts && (
        <p class="tick">
          <input
            id="anonymous"
            type="checkbox"
            checked={options.isAnonymous}
            onChange={(event) => onOptions({ ...options, isAnonymous: event.currentTarget.checked })}
          />
          <label for="anonymous">Do not tell the organisation who I am</label>
        </p>
      )}
    </details>
  );
}

/** What is asked of the API, or one sentence about what is missing. */
export function checkOptions(options: OptionsDraft): { readonly said: GiftOptions } | { readonly fault: string } {
  const given = (text: string) => text.trim();
  const [name, email] = [given(options.toldName), given(options.toldEmail)];
  if (options.dedication !== "") {
    if (given(options.honouree) === "") return { fault: "Enter the name of whom you dedicate the gift to." };
    if ((name === "") !== (email === "")) return { fault: "To tell somebody we need both name and e-mail address." };
  }
  return {
    said: {
      fundId: options.fund || null,
      dedication:
        options.dedication === ""
          ? null
          : {
              kind: options.dedication,
              honouree: given(options.honouree),
              notify: name === "" ? null : { name, email },
            },
      company: given(options.company) === "" ? null : { name: given(options.company), taxId: given(options.taxId) || null },
      message: given(options.message) || null,
      isAnonymous: options.isAnonymous,
    },
  };
}

interface ChoiceProps {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly onChange: (event: TargetedEvent<HTMLSelectElement>) => void;
  readonly children: preact.ComponentChildren;
}

function Choice({ id, label, children, ...select }: ChoiceProps) {
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
function useFunds(api: Api, organization: Organization): readonly Fund[] {
  const [funds, setFunds] = useState<readonly Fund[]>([]);
  useEffect(() => {
    api.openFunds(organization.id).then(setFunds, () => setFunds([]));
  }, [organization.id]);
  return funds;
}
