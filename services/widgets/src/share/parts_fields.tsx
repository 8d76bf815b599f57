import type { TargetedEvent } from "preact";

import { FormField } from "../donate/field";
import { Choice } from "../donate/gift_options";
import { exponentOf, formatMoney } from "../money";
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
  const { draft, currency, faults, onDraft } = props;
  const isOwn = draft.parts !== null;
  const sum = sumOf(partsOf(draft, currency).values(), currency);
  return (
    <>
      {!isOwn && (
        <FormField
          id="amount"
          label={`Amount in all, in ${currency}`}
          suffix={currency}
          inputMode={exponentOf(currency) === 0 ? "numeric" : "decimal"}
          value={draft.total}
          fault={faults.amount}
          onInput={(event) => onDraft({ ...draft, total: event.currentTarget.value })}
        />
      )}
      <Chosen {...props} />
      <label class="choice">
        <input
          type="checkbox"
          checked={isOwn}
          onChange={(event) => onDraft(withOwnParts(draft, currency, event.currentTarget.checked))}
        />
        Choose each part myself
      </label>
      {isOwn && (
        <p class="sum" aria-live="polite">
          In all: <strong>{formatMoney(sum)}</strong>
        </p>
      )}
    </>
  );
}

function Chosen({ known, draft, currency, faults, onDraft }: PartsFieldsProps) {
  const amounts = partsOf(draft, currency);
  const remove = (id: string) => (event: TargetedEvent<HTMLButtonElement>) => {
    event.currentTarget.closest("fieldset")?.focus(); // the button goes
    onDraft({ ...draft, organizations: draft.organizations.filter((other) => other !== id) });
  };
  return (
    <fieldset class="group" tabIndex={-1} aria-describedby={faults.organizations && "organizations-fault"}>
      <legend>To these organisations</legend>
      <ul class="parts">
        {draft.organizations.map((id) => {
          const name = known.get(id)?.name ?? id;
          const amount = amounts.get(id);
          return (
            <li key={id}>
              {draft.parts === null ? (
                <span class="part">
                  {name}
                  {amount !== undefined && <strong> {formatMoney(amount)}</strong>}
                </span>
              ) : (
                <PartField {...{ id, name, draft, currency, onDraft }} fault={faults.parts[id]} />
              )}
              <button type="button" class="outlined" aria-label={`Remove ${name}`} onClick={remove(id)}>
                Remove
              </button>
            </li>
          );
        })}
      </ul>
      {draft.organizations.length < MOST_PARTS && <Addition known={known} draft={draft} onDraft={onDraft} />}
      {faults.organizations && (
        <p class="fault" id="organizations-fault" role="alert">
          {faults.organizations}
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
  readonly fault: string | undefined;
  readonly onDraft: (draft: SharedDraft) => void;
}

function PartField({ id, name, draft, currency, fault, onDraft }: PartFieldProps) {
  return (
    <FormField
      id={`part-${id}`}
      label={name}
      suffix={currency}
      inputMode={exponentOf(currency) === 0 ? "numeric" : "decimal"}
      value={draft.parts?.[id] ?? ""}
      fault={fault}
      onInput={(event) => onDraft({ ...draft, parts: { ...draft.parts, [id]: event.currentTarget.value } })}
    />
  );
}

type AdditionProps = Pick<PartsFieldsProps, "known" | "draft" | "onDraft">;

function Addition({ known, draft, onDraft }: AdditionProps) {
  const others = [...known.values()].filter(({ id }) => !draft.organizations.includes(id));
  if (others.length === 0) return null;
  const add = (event: TargetedEvent<HTMLSelectElement>) => {
    const id = event.currentTarget.value;
    if (id !== "") onDraft({ ...draft, organizations: [...draft.organizations, id] });
  };
  return (
    <Choice id="addition" label="Add an organisation" value="" onChange={add}>
      <option value="">Choose…</option>
      {others.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </Choice>
  );
}
