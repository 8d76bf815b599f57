import { useRef } from "preact/hooks";
import { FormButtons } from "../account/form_buttons";
import { useSpeech, wordsOf } from "../account/language";
import { FormField } from "../donate/field";
import { type Guard, useFieldFaults } from "../organization/refused";
import { showField } from "../organization/texts_fields";
import type { RequestFault } from "../site/http";
import { useOneAtATime } from "../site/one_at_a_time";
import { useLayoutOnMount } from "../site/use_on_mount";
import { endpointFieldOf, endpointIn, offeredTypes } from "./endpoint_draft";
import type { EndpointSaid } from "./webhooks_api";

interface EndpointFormProps {
  /** Of the fields' names: several forms may be open. */
  readonly prefix: string;
  /** Null: one that is to be added. */
  readonly said: EndpointSaid | null;
  readonly action: string;
  readonly isAnew?: boolean;
  readonly onSave: (said: EndpointSaid, guard: Guard) => Promise<void>;
  readonly onLeave: () => void;
}

/** An endpoint's address, what it is for, and which events it is sent. */
export function EndpointForm({ prefix, said, action, isAnew = false, onSave, onLeave }: EndpointFormProps) {
  const speech = useSpeech();
  const { t } = speech;
  const form = useRef<HTMLFormElement>(null);
  const fieldOf = (problem: RequestFault) => {
    const field = endpointFieldOf(problem);
    return field === null ? null : `${prefix}${field}`;
  };
  const { faults, refuse, guard } = useFieldFaults(fieldOf, (name) => form.current && showField(form.current, name));
  useLayoutOnMount(() => {
    if (isAnew && form.current) showField(form.current, `${prefix}url`);
  });
  const once = useOneAtATime();
  const submit = (event: Event) => {
    const drafted = endpointIn(new FormData(event.currentTarget as HTMLFormElement), prefix);
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
        {...field("url")}
        type="url"
        label={t.endpointUrl}
        hint={t.endpointUrlHint}
        defaultValue={said?.url ?? ""}
        maxLength={500}
        autocomplete="off"
      />
      <FormField
        {...field("description")}
        label={t.endpointDescription}
        hint={t.endpointDescriptionHint}
        defaultValue={said?.description ?? ""}
        required={false}
        maxLength={200}
        autocomplete="off"
      />
      <EventTypeChoices {...field("event-type")} said={said} />
      <FormButtons action={action} onLeave={onLeave} />
    </form>
  );
}

interface EventTypeChoicesProps {
  readonly id: string;
  readonly said: EndpointSaid | null;
  readonly fault: string | undefined;
}

function EventTypeChoices({ id, said, fault = "" }: EventTypeChoicesProps) {
  const { t } = useSpeech();
  return (
    <fieldset class="field scopes" aria-describedby={`${id}-fault`}>
      <legend>{t.eventTypes}</legend>
      {offeredTypes(said).map((type) => (
        <label key={type} class="choice">
          <input type="checkbox" name={id} value={type} defaultChecked={said?.eventTypes.includes(type) ?? false} />
          <span>
            {t.eventMeans[type]} <code>{type}</code>
          </span>
        </label>
      ))}
      <p class="fault" id={`${id}-fault`}>
        {fault}
      </p>
    </fieldset>
  );
}
