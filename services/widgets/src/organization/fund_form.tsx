import { useRef } from "preact/hooks";
import { FormButtons } from "../account/form_buttons";
import { Told, useSpeech, wordsOf } from "../account/language";
import { FormField, FormSelect } from "../donate/field";
import { useOneAtATime } from "../site/one_at_a_time";
import { useLayoutOnMount } from "../site/use_on_mount";
import { FUND_KINDS, type FundKind } from "./collecting_api";
import { type Guard, useFieldFaults } from "./refused";
import { nameIn } from "./texts_draft";
import { showField } from "./texts_fields";

/** What the API refuses of a fund, it refuses of its name. */
const OF_THE_NAME: readonly string[] = ["fund_taken", "fund_not_acceptable"];

interface FundFormProps {
  /** Of the fields' names: several forms may be open. */
  readonly prefix: string;
  readonly name: string;
  readonly asksKind?: boolean;
  readonly taken: ReadonlySet<string>;
  readonly action: string;
  readonly isAnew?: boolean;
  readonly onSave: (name: string, kind: FundKind, guard: Guard) => Promise<void>;
  readonly onLeave: () => void;
}

/** A fund's name, and what people call it. */
export function FundForm({
  prefix,
  name: before,
  asksKind = false,
  taken,
  action,
  isAnew = false,
  onSave,
  onLeave,
}: FundFormProps) {
  const speech = useSpeech();
  const { t } = speech;
  const field = `${prefix}name`;
  const form = useRef<HTMLFormElement>(null);
  const { faults, refuse, guard } = useFieldFaults(
    ({ code }) => (OF_THE_NAME.includes(code) ? field : null),
    (name) => form.current && showField(form.current, name),
  );
  useLayoutOnMount(() => {
    if (isAnew && form.current) showField(form.current, field);
  });
  const once = useOneAtATime();
  const submit = (event: Event) => {
    const said = new FormData(event.currentTarget as HTMLFormElement);
    const name = nameIn(said, field);
    return once(async () => {
      if (name === "") return refuse(new Map([[field, new Told((words) => words.nameMissing)]]));
      if (name !== before && taken.has(name)) return refuse(new Map([[field, new Told((words) => words.nameTaken)]]));
      refuse(new Map());
      await onSave(name, (said.get(`${prefix}kind`) ?? "fund") as FundKind, guard);
    })(event);
  };
  return (
    <form ref={form} onSubmit={submit} noValidate>
      <FormField
        id={field}
        label={t.fundName}
        hint={t.projectNameHint}
        defaultValue={before}
        maxLength={100}
        autocomplete="off"
        fault={faults.has(field) ? wordsOf(speech, faults.get(field)) : undefined}
      />
      {asksKind && (
        <FormSelect id={`${prefix}kind`} label={t.fundKind} fault={undefined}>
          {FUND_KINDS.map((kind) => (
            <option key={kind} value={kind}>
              {t.fundKinds[kind]}
            </option>
          ))}
        </FormSelect>
      )}
      <FormButtons action={action} onLeave={onLeave} />
    </form>
  );
}
