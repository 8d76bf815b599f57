import type { ComponentChildren, SelectHTMLAttributes, TargetedEvent } from "preact";
import { useEffect, useState } from "preact/hooks";

import type { Api, Fund } from "../site/api";
import { FormField, FormText } from "./field";
import type { Keeps, OptionFaults, OptionsDraft, TypedOption } from "./gift_options_draft";
import { type Speech, useSpeech } from "./language";

export interface OptionsProps {
  readonly options: OptionsDraft;
  readonly faults: OptionFaults;
  readonly onOptions: (options: OptionsDraft) => void;
}

interface GiftOptionsFormProps extends OptionsProps {
  readonly keeps: Keeps;
  /** What the gift is for, where there is a choice. */
  readonly children?: ComponentChildren;
}

const FOLDED: readonly TypedOption[] = ["honouree", "toldName", "toldEmail", "company", "taxId", "message"];

/** Everything but amount and donor, folded away: most people give without it. */
export function GiftOptionsForm(props: GiftOptionsFormProps) {
  const speech = useSpeech();
  const { t } = speech;
  const { keeps, options, faults, onOptions, children } = props;
  const text = typed(props, speech);
  return (
    <details class="options" open={FOLDED.some((field) => faults[field] !== undefined) || undefined}>
      <summary>{t.sayMore}</summary>
      {children}
      {keeps.dedication && <Dedication {...props} />}
      {keeps.company && <FormField {...text("company", 200)} label={t.company} hint={t.companyHint} />}
      {keeps.company && options.company.trim() !== "" && (
        <FormField {...text("taxId", 40)} label={t.taxId} hint={t.taxIdHint} />
      )}
      <FormText {...text("message", 2000)} label={t.message} />
      {keeps.anonymity && (
        <>
          <label class="choice">
            <input
              type="checkbox"
              checked={options.isAnonymous}
              aria-describedby="anonymous-hint"
              onChange={(event) => onOptions({ ...options, isAnonymous: event.currentTarget.checked })}
            />
            {t.anonymous}
          </label>
          <p class="hint" id="anonymous-hint">
            {options.isAnonymous && t.anonymousHint}
          </p>
        </>
      )}
    </details>
  );
}

function Dedication(props: OptionsProps) {
  const speech = useSpeech();
  const { t } = speech;
  const { options, onOptions } = props;
  const text = typed(props, speech);
  const choose = (event: TargetedEvent<HTMLSelectElement>) =>
    onOptions({ ...options, dedication: event.currentTarget.value as OptionsDraft["dedication"] });
  return (
    <>
      <Choice id="dedication" label={t.dedicate} value={options.dedication} onChange={choose}>
        <option value="">{t.toNobody}</option>
        <option value="in_honour_of">{t.honourSomebody}</option>
        <option value="in_memory_of">{t.rememberSomebody}</option>
      </Choice>
      {options.dedication !== "" && (
        <fieldset class="group">
          <legend>{t.dedication}</legend>
          <FormField {...text("honouree", 100)} label={t.dedicated[options.dedication]} />
          <FormField {...text("toldName", 100)} label={t.toldName} hint={t.toldNameHint} />
          <FormField {...text("toldEmail", 254)} label={t.toldEmail} type="email" />
        </fieldset>
      )}
    </>
  );
}

/** What a field of the options needs, by its name and the longest text it takes. */
export function typed({ options, faults, onOptions }: OptionsProps, speech: Speech) {
  return (name: TypedOption, maxLength: number) => ({
    id: name,
    value: options[name],
    maxLength,
    required: false,
    fault: faults[name]?.(speech),
    onInput: (event: TargetedEvent<HTMLInputElement | HTMLTextAreaElement>) =>
      onOptions({ ...options, [name]: event.currentTarget.value }),
  });
}

interface FundChoiceProps {
  readonly id: string;
  readonly label: string;
  readonly funds: readonly Fund[];
  readonly chosen: string;
  readonly onFund: (fund: string) => void;
}

/** What a gift to one organisation is for; nothing where there is no choice. */
export function FundChoice({ id, label, funds, chosen, onFund }: FundChoiceProps) {
  const { t } = useSpeech();
  if (funds.length === 0) return null;
  return (
    <Choice id={id} label={label} value={chosen} onChange={(event) => onFund(event.currentTarget.value)}>
      <option value="">{t.whereNeeded}</option>
      {funds.map((fund) => (
        <option key={fund.id} value={fund.id}>
          {fund.name}
        </option>
      ))}
    </Choice>
  );
}

interface ChoiceProps extends SelectHTMLAttributes<HTMLSelectElement> {
  readonly id: string;
  readonly label: string;
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

/** The open funds by organisation; none while they cannot be had: the gift matters more than what it is for. */
export function useFunds(api: Api, organizations: readonly string[]): ReadonlyMap<string, readonly Fund[]> {
  const [funds, setFunds] = useState<ReadonlyMap<string, readonly Fund[]>>(new Map());
  // biome-ignore lint/correctness/useExhaustiveDependencies: lists are compared by what is in them, and a fund that is known is not asked for
  useEffect(() => {
    for (const id of organizations.filter((each) => !funds.has(each))) {
      api.openFunds(id).then(
        (found) => setFunds((known) => new Map([...known, [id, found]])),
        () => undefined,
      );
    }
  }, [organizations.join()]);
  return funds;
}
