import type { TargetedEvent } from "preact";

import { amountField } from "../donate/details_form";
import { FormField } from "../donate/field";
import { Choice } from "../donate/gift_options";
import { type Said, useSpeech } from "../donate/language";
import type { Organization } from "../site/api";
import { MOST_PARTS, partsOf, type SharedDraft, type ShareFaults, sumOf, withOwnParts } from "./draft";

interface PartsFieldsProps {
  readonly known: ReadonlyMap<string, Organization>;
  readonly draft: SharedDraft;
  readonly currency: string;
  readonly faults: ShareFaults;
  readonly onDraft: (draft: SharedDraft) => void;
}

/** Who gets how much: equal parts of one amount, or an amount each. What is shown adds up, because the sum is computed from it. */
export function PartsFields(props: PartsFieldsProps) {
  const speech = useSpeech();
  const { t, money, typed } = speech;
  const { draft, currency, faults, onDraft } = props;
  const isOwn = draft.parts !== null;
  const sum = sumOf(partsOf(draft, currency).values(), currency);
  return (
    <>
      {!isOwn && (
        <FormField
          {...amountField(currency)}
          id="amount"
          label={t.amountInAll(currency)}
          value={draft.total}
          fault={faults.amount?.(speech)}
          onInput={(event) => onDraft({ ...draft, total: event.currentTarget.value })}
        />
      )}
      <Chosen {...props} />
      <label class="choice">
        <input
          type="checkbox"
          checked={isOwn}
          onChange={(event) => onDraft(withOwnParts(draft, currency, event.currentTarget.checked, typed))}
        />
        {t.ownParts}
      </label>
      {isOwn && (
        <p class="sum" aria-live="polite">
          {t.inAll} <strong>{money(sum)}</strong>
        </p>
      )}
    </>
  );
}

function Chosen({ known, draft, currency, faults, onDraft }: PartsFieldsProps) {
  const speech = useSpeech();
  const { t, money } = speech;
  const amounts = partsOf(draft, currency);
  const remove = (id: string) => (event: TargetedEvent<HTMLButtonElement>) => {
    event.currentTarget.closest("fieldset")?.focus(); // the button goes
    onDraft({ ...draft, organizations: draft.organizations.filter((other) => other !== id) });
  };
  return (
    <fieldset class="group" tabIndex={-1} aria-describedby={faults.organizations && "organizations-fault"}>
      <legend>{t.toThese}</legend>
      <ul class="parts">
        {draft.organizations.map((id) => {
          const name = known.get(id)?.name ?? id;
          const amount = amounts.get(id);
          return (
            <li key={id}>
              {draft.parts === null ? (
                <span class="part">
                  {name}
                  {amount !== undefined && <strong> {money(amount)}</strong>}
                </span>
              ) : (
                <PartField {...{ id, name, draft, currency, onDraft }} fault={faults.parts[id]} />
              )}
              <button type="button" class="outlined" aria-label={t.removeOne(name)} onClick={remove(id)}>
                {t.remove}
              </button>
            </li>
          );
        })}
      </ul>
      {draft.organizations.length < MOST_PARTS && <Addition known={known} draft={draft} onDraft={onDraft} />}
      {faults.organizations && (
        <p class="fault" id="organizations-fault" role="alert">
          {faults.organizations(speech)}
        </p>
      )}
    </fieldset>
  );
}

interface PartFieldProps {
  readonly id: string;
  readonly name: string;
  readonly draft: SharedDraft;
  readonly currency: string;
  readonly fault: Said | undefined;
  readonly onDraft: (draft: SharedDraft) => void;
}

function PartField({ id, name, draft, currency, fault, onDraft }: PartFieldProps) {
  const speech = useSpeech();
  return (
    <FormField
      {...amountField(currency)}
      id={`part-${id}`}
      label={name}
      value={draft.parts?.[id] ?? ""}
      fault={fault?.(speech)}
      onInput={(event) => onDraft({ ...draft, parts: { ...draft.parts, [id]: event.currentTarget.value } })}
    />
  );
}

type AdditionProps = Pick<PartsFieldsProps, "known" | "draft" | "onDraft">;

function Addition({ known, draft, onDraft }: AdditionProps) {
  const { t } = useSpeech();
  const others = [...known.values()].filter(({ id }) => !draft.organizations.includes(id));
  if (others.length === 0) return null;
  const add = (event: TargetedEvent<HTMLSelectElement>) => {
    const id = event.currentTarget.value;
    if (id !== "") onDraft({ ...draft, organizations: [...draft.organizations, id] });
  };
  return (
    <Choice id="addition" label={t.addOne} value="" onChange={add}>
      <option value="">{t.choose}</option>
      {others.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </Choice>
  );
}
