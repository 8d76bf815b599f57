import { useRef } from "preact/hooks";
import { FormButtons } from "../account/form_buttons";
import { useSpeech, wordsOf } from "../account/language";
import { CURRENCIES } from "../currencies";
import { FormField, FormSelect } from "../donate/field";
import type { RequestFault } from "../site/http";
import { useOneAtATime } from "../site/one_at_a_time";
import { useLayoutOnMount } from "../site/use_on_mount";
import { OPEN_STATES, type ProjectSaid } from "./collecting_api";
import { projectFieldOf, projectIn } from "./project_draft";
import { type Guard, useFieldFaults } from "./refused";
import { showField, TextsFields } from "./texts_fields";

interface ProjectFormProps {
  /** Of the fields' names: several forms may be open. */
  readonly prefix: string;
  /** Null: one that is to be made. */
  readonly said: ProjectSaid | null;
  readonly taken: ReadonlySet<string>;
  readonly action: string;
  readonly isAnew?: boolean;
  readonly onSave: (said: ProjectSaid, guard: Guard) => Promise<void>;
  readonly onLeave: () => void;
}

/** What is collected for, how much it is to come to, and how far it is. */
export function ProjectForm({ prefix, said, taken, action, isAnew = false, onSave, onLeave }: ProjectFormProps) {
  const speech = useSpeech();
  const { t } = speech;
  const form = useRef<HTMLFormElement>(null);
  const goal = said === null ? "" : speech.typed(said.goal);
  const fieldOf = (problem: RequestFault) => {
    const field = projectFieldOf(problem);
    return field === null ? null : `${prefix}${field}`;
  };
  const { faults, refuse, guard } = useFieldFaults(fieldOf, (name) => form.current && showField(form.current, name));
  useLayoutOnMount(() => {
    if (isAnew && form.current) showField(form.current, `${prefix}name`);
  });
  const once = useOneAtATime();
  const submit = (event: Event) => {
    const drafted = projectIn(new FormData(event.currentTarget as HTMLFormElement), { prefix, said, goal, taken });
    return once(async () => {
      if ("faults" in drafted) return refuse(drafted.faults);
      refuse(new Map());
      await onSave(drafted, guard);
    })(event);
  };
  const fault = (name: string) => (faults.has(name) ? wordsOf(speech, faults.get(name)) : undefined);
  const field = (name: string) => ({ id: `${prefix}${name}`, fault: fault(`${prefix}${name}`) });
  return (
    <form ref={form} onSubmit={submit} noValidate>
      <FormField
        {...field("name")}
        label={t.projectName}
        hint={t.projectNameHint}
        defaultValue={said?.name ?? ""}
        maxLength={100}
        autocomplete="off"
      />
      <FormField
        {...field("goal")}
        label={t.projectGoal}
        hint={t.projectGoalHint}
        defaultValue={goal}
        inputMode="decimal"
        autocomplete="off"
      />
      <FormSelect {...field("currency")} label={t.goalCurrency}>
        {[...CURRENCIES.keys()].map((code) => (
          <option key={code} value={code} selected={code === (said?.goal.currency ?? "EUR")}>
            {code}
          </option>
        ))}
      </FormSelect>
      {said !== null && (
        <FormSelect {...field("state")} label={t.projectState}>
          {OPEN_STATES.map((state) => (
            <option key={state} value={state} selected={state === said.state}>
              {t.projectStates[state]}
            </option>
          ))}
        </FormSelect>
      )}
      <TextsFields
        legend={t.projectTexts}
        about={t.profileTextsAbout}
        texts={said?.texts ?? {}}
        prefix={prefix}
        fault={fault}
      />
      <FormButtons action={action} onLeave={onLeave} />
    </form>
  );
}
